#!lua flags=allow-oom
-- work.lua: settle attempts that ended and claim the next tasks, in one call.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] lane     names one of the worker's lanes: calls of one lane follow each other
-- ARGV[2] nonce    new for every call; the same when a call is repeated because its reply was lost
-- ARGV[3] want     tasks to claim
-- ARGV[4] lease    milliseconds
-- ARGV[5] worker   id
-- ARGV[6] types    `,a,b,` task types that the worker runs
-- ARGV[7] nC       completions that follow: (id, |token|, result) each
-- ARGV[8] nO       other ends that follow: (kind, id, |token|, delay ms, fingerprint, error name, body) each
-- ARGV[9] ahead    how many of `want` have no slot yet: given out of a long backlog only, and not where the queue has limits
-- ARGV[10] standby  `` or `<ms>|<0|1>|<nonce>`: where nothing is claimed the worker stands by for so long (0: no longer) and
--   a task may be handed to it under a token with this nonce; 1: it has stood by, and heard of no task since
-- RETURNS {wall ms, ms until the next due task or -1, skipped 0|1, base epoch, verdicts, epochs or 0, claimed, stands by 0|1, handed}
--   verdicts: one character a settle, completions first: A accepted, R already (repeated), F fenced, G gone
--   claimed: id, record, id, record …; token of claim k is (base + k):nonce, or epochs[k]:nonce. Not joined to one string, which
--     Lua would hash byte by byte
--   handed: token, id, record … of what was handed to it and it may not have heard of
-- RETURNS -1 where the queue is in another layout
-- DERIVES t:<id> h:<id> ix:f:<fingerprint> from ids in the queue's own sets, handed:<worker>: all in the slot of KEYS[1]
-- COST O(log N) a task. All reads precede the first write: an error or a moving slot leaves nothing half done.
local lane, nonce, want, lease, worker, types = 'lane:' .. ARGV[5] .. ':' .. ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local nC, nO = tonumber(ARGV[7]), tonumber(ARGV[8])
if not load_meta(lane) then return -1 end
local repeated = m[17] == nonce

-- 1. Judge the settles -----------------------------------------------------------------------------------------
-- Strings are what a call costs: each one made here is allocated, hashed and collected. So tokens come with their
-- bars around them, as they stand in a line, and nothing is cut out or glued together that is not kept.
local total = nC + nO
local ids, tokens = {}, {}
for i = 1, nC do ids[i], tokens[i] = ARGV[8 + 3 * i], ARGV[9 + 3 * i] end
local other = 11 + 3 * nC
for i = 1, nO do ids[nC + i], tokens[nC + i] = ARGV[other + 7 * (i - 1) + 1], ARGV[other + 7 * (i - 1) + 2] end
local lines = total > 0 and call('HMGET', ACTIVE, unpack(ids)) or {}
local verdicts, flags, items, heads, seen = {}, {}, {}, {}, {}
local needHead, needHistory = {}, {}
local settled = 0
for i = 1, total do
  local line, id, token = lines[i], ids[i], tokens[i]
  local bar = line and find(line, token, 22, true)
  if not bar then
    local history = call('GET', P .. 'h:' .. id)
    if history and find(history, token, 1, true) then verdicts[i] = 'R'
    elseif history or call('EXISTS', P .. 't:' .. id) == 1 then verdicts[i] = 'F'
    else verdicts[i] = 'G' end
  elseif seen[id] then
    verdicts[i] = 'R' -- twice in one call
  else
    seen[id] = true
    verdicts[i] = 'A'
    settled = settled + 1
    items[i] = sub(line, 2, bar - 1)
    local bits = byte(line, 1) - 48
    if i > nC then
      flags[i] = bits
      needHead[#needHead + 1], needHistory[#needHistory + 1] = i, i
    elseif bits > 0 then
      if has(bits, F_UNIQUE) or has(bits, F_NEEDED) then needHead[#needHead + 1] = i end
      if has(bits, F_HISTORY) then needHistory[#needHistory + 1] = i end
    end
  end
end
local historyBytes = {}
for _, i in ipairs(needHead) do heads[i] = call('GETRANGE', P .. 't:' .. ids[i], '0', HEAD_LAST) end
for _, i in ipairs(needHistory) do historyBytes[i] = call('STRLEN', P .. 'h:' .. ids[i]) end

-- 2. Choose what to claim --------------------------------------------------------------------------------------
local running, waiting = call('ZCARD', LEASES), call('ZCARD', PENDING)
call('XLEN', EVENTS); call('LLEN', WAKE)
local reported = 0
if total > 0 then
  reported = call('HLEN', PROGRESS)
  call('ZCARD', COMPLETED)
end
if #needHead > 0 then
  call('ZCARD', FAILED); call('ZCARD', CANCELLED); call('HLEN', UNIQUE); call('HLEN', GROUPS); call('LLEN', OUTBOX)
end

local promoted, promotedFrom, promotedHeads, promotedScore = {}, {}, {}, {}
local rateUntil
if wall >= due then
  local nextDue = NEVER
  for _, key in ipairs({ SCHEDULED, RETRYING }) do
    local found = call('ZRANGEBYSCORE', key, '-inf', wall, 'LIMIT', 0, 100)
    for _, id in ipairs(found) do
      local record = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST)
      promoted[#promoted + 1] = id
      promotedFrom[id] = key
      if record ~= '' then promotedHeads[id], promotedScore[id] = record, tonumber(head_score(record)) end
    end
    local rest = call('ZRANGE', key, #found, #found, 'WITHSCORES')
    if rest[2] then nextDue = min(nextDue, tonumber(rest[2])) end
  end
  due = nextDue
end

-- Tasks ahead of their slots wait where they are held: nobody else may lack them, and limits count what runs.
local ahead = tonumber(ARGV[9])
if ahead > 0 and (m[9] or m[10] or waiting < want + 4 * ahead) then want = want - ahead end
local allow = 0
if want > 0 and not paused and not repeated then
  allow = want
  if m[9] then allow = min(allow, tonumber(m[9]) - running + settled) end
  if m[10] then
    local rateStart, rateCount = tonumber(m[12] or -NEVER), tonumber(m[13] or 0)
    if mono >= rateStart + tonumber(m[11]) then rateStart, rateCount = mono, 0 end
    local room = tonumber(m[10]) - rateCount
    if room <= 0 then rateUntil = rateStart + tonumber(m[11]) - mono end
    allow = min(allow, room)
    m[12], m[13] = rateStart, rateCount
  end
end

local take, records, kinds, park, orphans = {}, {}, {}, {}, {}
local taken, skipped = 0, 0
if allow > 0 then
  -- What tasks have in common that are alike in executions at most, priority, flags and type: looked at once.
  local kindOf, startedAt = {}, fmt('%011x', wall)
  local function kind_of(middle)
    local bits, taskType = byte(middle, 6) - 48, sub(middle, 7)
    local kind = {
      runs = find(types, ',' .. taskType .. ',', 1, true) ~= nil,
      type = taskType,
      expires = has(bits, F_EXPIRES),
      flag = sub(middle, 6, 6),
      rest = sub(middle, 1, 5) .. startedAt .. taskType, -- an item without its attempt
    }
    kind.first = '0001' .. kind.rest
    kindOf[middle] = kind
    return kind
  end
  local ready = {}
  for _, id in ipairs(promoted) do
    if promotedHeads[id] then ready[#ready + 1] = { promotedScore[id], id } end
  end
  table.sort(ready, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
  local r, from = 1, 0
  -- Tasks of other types, expired ones and ids without a record make further rounds necessary: five at most.
  for round = 1, 5 do
    local size = allow - taken
    if size <= 0 then break end
    if round > 1 then size = max(size, 50) end
    local batch = {}
    if r > #ready then
      batch = call('ZRANGE', PENDING, from, from + size - 1)
      from = from + #batch
    else
      local heap = call('ZRANGE', PENDING, from, from + size - 1, 'WITHSCORES')
      local p = 1
      while #batch < size and (r <= #ready or heap[p]) do
        if heap[p] and (r > #ready or tonumber(heap[p + 1]) <= ready[r][1]) then
          batch[#batch + 1] = heap[p]
          p = p + 2
          from = from + 1
        else
          batch[#batch + 1] = ready[r][2]
          r = r + 1
        end
      end
    end
    if #batch == 0 then break end
    local keys, found = {}, {}
    if #ready == 0 then
      for i = 1, #batch do keys[i] = P .. 't:' .. batch[i] end
      found = call('MGET', unpack(keys))
    else
      -- The head of a promoted task was read already, and mostly all of its record with it.
      local at = {}
      for i = 1, #batch do
        local head = promotedHeads[batch[i]]
        if head and #head < HEAD_BYTES then found[i] = head
        else keys[#keys + 1] = P .. 't:' .. batch[i]; at[#keys] = i end
      end
      if #keys > 0 then
        for n, record in ipairs(call('MGET', unpack(keys))) do found[at[n]] = record end
      end
    end
    for i = 1, #batch do
      local record = found[i]
      if taken >= allow then break end
      if not record then
        orphans[#orphans + 1] = batch[i]
      else
        local middle = sub(record, 28, find(record, '|', 34, true) - 1)
        local kind = kindOf[middle] or kind_of(middle)
        if kind.expires and wall > tonumber(head_field(record, 4)) then
          -- It is only not started here; the next tick fails it.
        elseif kind.runs then
          taken = taken + 1
          take[taken], records[taken], kinds[taken] = batch[i], record, kind
        else
          local served = call('HGET', SERVED, kind.type)
          if served and tonumber(served) >= mono then skipped = 1
          else park[#park + 1] = { batch[i], record } end
        end
      end
    end
  end
end

local again, againEpochs = {}, {}
if repeated then
  local all = call('HGETALL', ACTIVE)
  local tail = ':' .. nonce .. '|'
  for i = 1, #all, 2 do
    local at = find(all[i + 1], tail, 22, true)
    if at then
      local record = call('GET', P .. 't:' .. all[i])
      if record then
        again[#again + 1] = all[i]
        again[#again + 1] = record
        local bar = find(all[i + 1], '|', 22, true)
        againEpochs[#againEpochs + 1] = sub(all[i + 1], bar + 1, at - 1)
      end
    end
  end
end

-- 3. Look for what was handed over ------------------------------------------------------------------------------
local place, standMs, stands, looks
local handed = {}
if ARGV[10] ~= '' then
  local ms, stood, handNonce = string.match(ARGV[10], '^(%d+)|([01])|(.+)$')
  standMs, place = tonumber(ms), worker .. '|' .. handNonce .. '|' .. ARGV[4] .. '|' .. types
  stands = call('ZSCORE', STANDBY, place)
  looks = not stands and (stood == '1' or repeated)
  if looks then
    call('LLEN', inbox_of(worker))
    handed = handed_under(handNonce)
  end
end

-- 4. Write: nothing below can fail -----------------------------------------------------------------------------
local bytes = tonumber(m[14] or 0)
local gone, completedEvents, endedEvents = {}, {}, {}
local ended, done = 0, 0 -- all that ended here; those of them that completed
local fresh, ranks = {}, {}
local back, later, retry, dead, cancelled = {}, {}, {}, {}, {}
for i = 1, total do
  if verdicts[i] == 'A' then
    local id, token = ids[i], tokens[i]
    ended = ended + 1
    gone[ended] = id
    if i <= nC then
      local text = segment('C', items[i], token, worker, ARGV[10 + 3 * i])
      bytes = bytes + #text
      if historyBytes[i] then call('APPEND', P .. 'h:' .. id, text)
      else fresh[#fresh + 1] = P .. 'h:' .. id; fresh[#fresh + 1] = text end
      done = done + 1
      ranks[2 * done - 1], ranks[2 * done] = rank(ended - 1), id
      completedEvents[3 * done - 2], completedEvents[3 * done - 1], completedEvents[3 * done] = id, items[i], ','
      if heads[i] and heads[i] ~= '' then
        free_unique(id, heads[i])
        tell_dependants(id, heads[i], 'C')
      end
    elseif heads[i] ~= '' then
      local at = other + 7 * (i - nC - 1)
      local kind, delay, fingerprint, errorName, body = ARGV[at], tonumber(ARGV[at + 3]), ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
      local attempt, most = tonumber(sub(items[i], 1, 4)), tonumber(sub(items[i], 5, 8))
      if kind == 'F' and attempt >= most then kind = 'D' end
      if has(flags[i], F_CANCEL) and kind ~= 'D' then kind = 'X' end
      local head = heads[i]
      local counted = attempt
      if kind == 'R' or kind == 'Z' then counted = attempt - 1 end
      local dueAt = ''
      local middle = sub(head, 5, 32)
      if kind == 'F' then
        dueAt = int(wall + delay); retry[#retry + 1] = dueAt; retry[#retry + 1] = id
      elseif kind == 'Z' then
        dueAt = int(wall + delay); later[#later + 1] = dueAt; later[#later + 1] = id
      elseif kind == 'R' then
        back[#back + 1] = head_score(head); back[#back + 1] = id
      elseif kind == 'X' then
        cancelled[#cancelled + 1] = rank(ended - 1); cancelled[#cancelled + 1] = id
      else
        dead[#dead + 1] = rank(ended - 1); dead[#dead + 1] = id
        middle = fingerprint .. '----' .. sub(head, 17, 32)
        bury(id, fingerprint, head_type(head), errorName)
      end
      if dueAt ~= '' then due = min(due, wall + delay) end
      if has(flags[i], F_EXPIRES) and (kind == 'F' or kind == 'Z' or kind == 'R') then
        call('ZADD', EXPIRING, head_field(head, 4), id)
      end
      if kind == 'D' or kind == 'X' then
        free_unique(id, head)
        tell_dependants(id, head, 'X')
      end
      call('SETRANGE', P .. 't:' .. id, 0, fmt('%04d', counted) .. middle .. char(48 + with(head_flags(head), F_HISTORY)))
      -- A task that goes to sleep over and over does not fill its history: past 64 KiB only ends are written.
      if kind == 'F' or kind == 'D' or kind == 'X' or historyBytes[i] < 65536 then
        local text = segment(kind, items[i], token, worker, body)
        bytes = bytes + #text
        call('APPEND', P .. 'h:' .. id, text)
      end
      endedEvents[#endedEvents + 1] = id .. kind .. items[i] .. '|' .. dueAt .. '|' .. fingerprint .. '|' .. errorName
    end
  end
end
if ended > 0 then
  many('HDEL', ACTIVE, gone)
  many('ZREM', LEASES, gone)
  if reported > 0 then many('HDEL', PROGRESS, gone) end
  if #fresh > 0 then call('MSET', unpack(fresh)) end
  many('ZADD', COMPLETED, ranks)
  many('ZADD', FAILED, dead)
  many('ZADD', CANCELLED, cancelled)
  many('ZADD', RETRYING, retry)
  many('ZADD', SCHEDULED, later)
  many('ZADD', PENDING, back)
end
emit_pieces('c', completedEvents, done)
emit('f', endedEvents)

if #promoted > 0 then
  local started, add, told = {}, {}, {}
  for i = 1, taken do started[take[i]] = true end
  for _, id in ipairs(promoted) do
    call('ZREM', promotedFrom[id], id)
    if promotedHeads[id] then waiting = waiting + 1 end
    if promotedHeads[id] and not started[id] then
      add[#add + 1] = int(promotedScore[id]); add[#add + 1] = id
      told[#told + 1] = id .. sub(promotedHeads[id], 32, 32) .. head_type(promotedHeads[id])
    end
  end
  many('ZADD', PENDING, add)
  emit('p', told)
end
many('ZREM', PENDING, orphans)
for _, task in ipairs(park) do
  call('ZADD', PARKED, head_score(task[2]), task[1])
  call('ZREM', PENDING, task[1])
end

local base = epoch
local reply = again
if taken > 0 then
  local active, leases, told, expiring = {}, {}, {}, {}
  local until_ = int(mono + lease)
  local tail = ':' .. nonce .. '|' .. worker
  reply = {}
  for i = 1, taken do
    local id, record, kind = take[i], records[i], kinds[i]
    local before = sub(record, 1, 4)
    local item = before == '0000' and kind.first or fmt('%04d', tonumber(before) + 1) .. kind.rest
    local k = 2 * i
    active[k - 1], active[k] = id, kind.flag .. item .. '|' .. int(base + i) .. tail
    leases[k - 1], leases[k] = until_, id
    reply[k - 1], reply[k] = id, record
    told[3 * i - 2], told[3 * i - 1], told[3 * i] = id, item, ','
    if kind.expires then expiring[#expiring + 1] = id end
  end
  -- Redis keeps small zsets and hashes as packed lists, in which each access reads half of the list. One member of more
  -- than 64 bytes turns them into real tables, for as long as they are not empty: worth it from a handful of tasks on.
  local long = taken > 8 and string.rep('-', 65)
  if long then
    call('ZADD', LEASES, '0', long)
    call('HSET', ACTIVE, long, '')
  end
  many('ZADD', LEASES, leases)
  many('ZREM', PENDING, take)
  many('HSET', ACTIVE, active)
  if long then
    call('ZREM', LEASES, long)
    call('HDEL', ACTIVE, long)
  end
  many('ZREM', EXPIRING, expiring)
  epoch = epoch + taken
  emit_pieces('s', told, taken)
  if m[10] then set('rate_start', int(m[12])); set('rate_count', int(m[13] + taken)) end
end

-- Wake another worker: for what is left after a full batch, for room under the concurrency limit, for tasks of
-- types that only others run, and for tasks handed back.
local room = settled > 0 and m[9]
if #back > 0 or waiting > taken and (want > 0 and taken == want or skipped == 1 or room) then wake() end

if looks then call('DEL', inbox_of(worker)) end
if place and not repeated then
  local idle = standMs > 0 and taken == 0 and #handed == 0 and not paused and not m[9] and not m[10]
  if idle then
    call('ZADD', STANDBY, int(wall + standMs), place)
  elseif stands then
    call('ZREM', STANDBY, place)
  end
  stands = idle
end

set('epoch', int(epoch)); set('due', int(due)); set('bytes', int(bytes)); set(lane, nonce)
local cap = max(250, floor(lease / 4))
if cap < tonumber(m[3] or 2500) then set('cap', int(cap)) end
save_meta(worker)

local untilDue = -1
if due < NEVER then untilDue = max(0, due - wall) end
if rateUntil and (untilDue < 0 or rateUntil < untilDue) then untilDue = rateUntil end
return { wall, untilDue, skipped, base, table.concat(verdicts), repeated and againEpochs or 0, reply,
  stands and 1 or 0, handed }
