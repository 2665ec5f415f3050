#!lua
-- submit.lua: take tasks in. Without `allow-oom`, so a full Redis refuses it before the first line.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] n      tasks
-- ARGV[2] x      tasks with extras
-- then (id, spec) × n: spec is bytes 28 and up of the record (most, band, flags, text head, payload)
-- then (index, extras) × x: extras = due|b, idempotency key, body hash, unique key, tags, owner, name, expires,
--   parents, joined by 0x1f
-- RETURNS one line for each task that was not simply accepted: "<i> SAME|DUPLICATE <id>", "<i> CONFLICT <id>",
--   "<i> FULL"; "0 NEW" where the queue's store was empty; "0 DURABILITY <level>" where the queue has one;
--   "0 SHARDS <n>" where it has more than one; -1 another layout
-- DERIVES t:<id> i:<key> ix:* waits:<id> from its arguments, handed:<worker> from the queue's own `standby`
-- COST O(log N) a task. Repeating it with the same ids enqueues nothing twice.
local known, seq, due, paused, concurrency, rateMax, bytes, maxPending, durability, shards =
  load_meta('seq', 'due', 'paused', 'concurrency', 'rate_max', 'bytes', 'max_pending', 'durability', 'shards')
if not known then return -1 end
due, paused = (due or NEVER) + 0, paused == '1'
local n, x = ARGV[1] + 0, ARGV[2] + 0
local DAY = '86400000'

local keys = {}
for i = 1, n do keys[i] = P .. 't:' .. ARGV[1 + 2 * i] end
local anyThere = call('EXISTS', unpack(keys)) > 0

local extras, idempotent, unique, writes = NONE, NONE, NONE, NONE
if x > 0 then extras, idempotent, unique, writes = {}, {}, {}, {} end
for k = 1, x do
  local at = 2 + 2 * n + 2 * k
  local parts, from = {}, 1
  local text = ARGV[at]
  for f = 1, 9 do
    local stop = find(text, '\31', from, true)
    parts[f] = sub(text, from, (stop or #text + 1) - 1)
    from = (stop or #text) + 1
  end
  extras[tonumber(ARGV[at - 1])] = parts
end
local ahead = call('ZCARD', PENDING)
local pendingNow = ahead + call('ZCARD', PARKED)
call('XLEN', EVENTS); call('LLEN', WAKE); call('SCARD', TYPES); if x > 0 then call('HLEN', UNIQUE) end

-- Where no task is ahead of these, the most urgent of them goes straight to an idle worker.
local stands, first, epoch
if ahead == 0 and not paused and not concurrency and not rateMax and nothing_due(due) then stands = last_standing() end
if stands then epoch = tonumber(call('HGET', KEYS[1], 'epoch') or 0) end

local out, sets, told, taken = {}, {}, {}, 0
if not seq then out[1] = '0 NEW' end
if durability then out[#out + 1] = '0 DURABILITY ' .. durability end
if shards then out[#out + 1] = '0 SHARDS ' .. shards end
local groups, order = {}, {}
-- Scores and members that go into a set.
local function entries_of(key)
  local list = groups[key]
  if not list then
    list = {}
    groups[key] = list
    order[#order + 1] = key
  end
  return list
end
local function add(key, score, id)
  local list = entries_of(key)
  list[#list + 1] = score
  list[#list + 1] = id
end
local typeList = {}
local kindOf = {} -- what tasks have in common that are alike in executions at most, priority, flags and type: looked at once
local created = fmt('%011x', wall)
local number = n > 8 and near_numbers() or int
seq, bytes = (seq or 0) + 0, (bytes or 0) + 0
local ready, soonest = 0, NEVER
local stop = 7 -- where the type ended in the task before: mostly it does there again

for i = 1, n do
  local id, spec, extra = ARGV[1 + 2 * i], ARGV[2 + 2 * i], extras[i]
  local refused
  if anyThere and call('EXISTS', keys[i]) == 1 then refused = 'SAME ' .. id end
  if not refused and extra then
    local key, hash, lock = extra[2], extra[3], extra[4]
    if key ~= '' then
      local known = idempotent[key] or call('GET', P .. 'i:' .. key)
      if known then
        refused = (sub(known, 28) == hash and 'SAME ' or 'CONFLICT ') .. sub(known, 1, 26)
      end
    end
    if not refused and lock ~= '' then
      local owner = unique[lock] or call('HGET', UNIQUE, lock)
      if owner and (unique[lock] or call('EXISTS', P .. 't:' .. owner) == 1) then refused = 'DUPLICATE ' .. owner end
    end
  end
  if not refused and maxPending and pendingNow + ready >= tonumber(maxPending) then refused = 'FULL' end
  if refused then
    out[#out + 1] = int(i) .. ' ' .. refused
  else
    seq = seq + 1
    taken = taken + 1
    local record = '0000' .. fmt('%012x', seq) .. created .. spec
    local k = 2 * taken
    sets[k - 1], sets[k] = keys[i], record
    bytes = bytes + #record
    -- A cut that is known ends with the bar after its type, and has no other.
    local kind = kindOf[sub(spec, 1, stop)]
    if not kind then
      stop = find(spec, '|', 7, true)
      local cut = sub(spec, 1, stop)
      kind = kindOf[cut]
      if not kind then
        local taskType, band = sub(cut, 7, -2), sub(cut, 5, 5)
        local key, text = P .. 'ix:t:' .. taskType, band .. sub(cut, 1, 4) .. taskType .. ','
        if not groups[key] then typeList[#typeList + 1] = taskType end
        kind = { type = taskType, entries = entries_of(key), band = band + 0, told = text, ready = 'r' .. text }
        kindOf[cut] = kind
      end
    end
    local entries = kind.entries
    entries[#entries + 1] = '0'
    entries[#entries + 1] = id
    local state, dueAt = 'r', extra and extra[1] or ''
    if extra then
      if extra[2] ~= '' then
        idempotent[extra[2]] = id .. '|' .. extra[3]
        writes[#writes + 1] = { 'SET', P .. 'i:' .. extra[2], id .. '|' .. extra[3], 'PX', DAY }
      end
      if extra[4] ~= '' then
        unique[extra[4]] = id
        writes[#writes + 1] = { 'HSET', UNIQUE, extra[4], id }
      end
      for tag in string.gmatch(extra[5], '[^;]+') do add(P .. 'ix:g:' .. tag, '0', id) end
      if extra[6] ~= '' then add(P .. 'ix:o:' .. extra[6], '0', id) end
      if extra[7] ~= '' then add(P .. 'ix:n', '0', extra[7] .. '|' .. id) end
      if extra[8] ~= '' then add(EXPIRING, extra[8], id) end
      if extra[9] ~= '' then
        local parents = { 'SADD', P .. 'waits:' .. id }
        for parent in string.gmatch(extra[9], '[^;]+') do parents[#parents + 1] = parent end
        writes[#writes + 1] = parents
        state = 'b'
      elseif dueAt ~= '' and tonumber(dueAt) > wall then
        state = 's'
        soonest = min(soonest, tonumber(dueAt))
      end
    end
    if state == 'r' then
      local score = score_number(kind.band, seq, wall)
      add(PENDING, number(score), id)
      ready = ready + 1
      if stands and find(stands.types, ',' .. kind.type .. ',', 1, true) and (not first or score < first.score) then
        first = { score = score, id = id, record = record, type = kind.type }
      end
    elseif state == 's' then add(SCHEDULED, dueAt, id)
    else add(BLOCKED, int(seq), id) end
    told[k - 1], told[k] = id, state == 'r' and kind.ready or state .. kind.told
  end
end
for _, key in ipairs(order) do call('ZCARD', key) end
if first and has(byte(first.record, 33) - 48, F_EXPIRES) then first = nil end

if taken > 0 then
  call('MSET', unpack(sets))
  local started
  if first then
    local list = groups[PENDING]
    for i = 2, #list, 2 do
      if list[i] == first.id then
        table.remove(list, i)
        table.remove(list, i - 1)
        break
      end
    end
    epoch = epoch + 1
    ready = ready - 1
    local item = '0001' .. sub(first.record, 28, 32) .. created .. first.type
    local token = int(epoch) .. ':' .. stands.nonce
    call('HSET', ACTIVE, first.id, sub(first.record, 33, 33) .. item .. '|' .. token .. '|' .. stands.worker)
    call('ZADD', LEASES, int(mono + stands.lease), first.id)
    call('ZREM', STANDBY, stands.place)
    call('RPUSH', inbox_of(stands.worker), token .. '|' .. wallText .. '|' .. first.id .. '|' .. first.record)
    call('PEXPIRE', inbox_of(stands.worker), int(2 * stands.lease))
    call('ZADD', HANDING, int(mono + HANDING_MS), stands.worker)
    started = first.id .. item
    set('epoch', int(epoch))
  end
  for _, key in ipairs(order) do many('ZADD', key, groups[key]) end
  call('SADD', TYPES, unpack(typeList))
  for _, write in ipairs(writes) do call(unpack(write)) end
  told[2 * taken] = sub(told[2 * taken], 1, -2) -- no comma after the last
  emit_text('q', table.concat(told), taken)
  if started then emit_text('s', started, 1) end
  if soonest < due then
    set('due', int(soonest))
    wake() -- one worker learns the new due time
  end
  if ready > 0 and not paused then wake() end
  set('seq', int(seq)); set('bytes', int(bytes))
end
save_meta(first and stands.worker)
return out
