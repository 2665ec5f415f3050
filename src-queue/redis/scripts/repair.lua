#!lua flags=allow-oom
-- repair.lua: looks through a queue, a page a call, for what hands or a lost disk have damaged, and puts it right: ids
-- whose record is gone go, tasks that are in no set or in several get their one place again, a running task has a lease.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] limit  tasks to look at, about
-- ARGV[2] every  ms on the queue clock to the next page
-- ARGV[3] rest   ms to the first page after the last
-- RETURNS {ids removed, tasks put back, leases given, keys put right}; all 0 also where it is not time yet | -1 another layout
-- DERIVES t:<id> h:<id> log:<id> waits:<id> deps:<id> ix:t:<type> ix:f:<fingerprint> from the queue's own sets
-- COST O(limit). Where it has come is kept in `meta`, so that all processes together make one pass.
local PLACES = { LEASES, COMPLETED, FAILED, CANCELLED, PENDING, PARKED, SCHEDULED, RETRYING, BLOCKED }
local FINAL = { [COMPLETED] = true, [FAILED] = true, [CANCELLED] = true }
local known, repairDue, due, bytes = load_meta('repair_due', 'due', 'bytes')
if not known then return -1 end
if mono < tonumber(repairDue or 0) then return { 0, 0, 0, 0 } end

-- 1. Read a page: of an index first, whose name tells the type of a task that is gone ---------------------------
local sources = {}
for _, taskType in ipairs(call('SMEMBERS', TYPES)) do sources[#sources + 1] = P .. 'ix:t:' .. taskType end
for _, fingerprint in ipairs(call('HKEYS', GROUPS)) do sources[#sources + 1] = P .. 'ix:f:' .. fingerprint end
table.sort(sources, function(a, b) return a > b end) -- ix:t: before ix:f:
for _, key in ipairs(PLACES) do sources[#sources + 1] = key end
sources[#sources + 1] = UNIQUE

local limit = tonumber(ARGV[1])
local was = call('HMGET', KEYS[1], 'repair_at', 'repaired')
local at, cursor = string.match(was[1] or '1 0', '^(%d+) (%d+)$')
at = tonumber(at)
local ids, known, listed, locks, typeOf = {}, {}, {}, {}, {}
local function look_at(id)
  if known[id] then return end
  known[id] = true
  ids[#ids + 1] = id
end
for _ = 1, limit do
  local key = sources[at]
  if not key or #ids >= limit then break end
  local page = call(key == UNIQUE and 'HSCAN' or 'ZSCAN', key, cursor, 'COUNT', min(100, limit))
  for i = 1, #page[2], 2 do
    local id = page[2][i]
    if key == UNIQUE then
      locks[#locks + 1] = { id, page[2][i + 1] }
      id = page[2][i + 1]
    elseif find(key, P .. 'ix:', 1, true) == 1 then
      listed[#listed + 1] = { key, id }
      typeOf[id] = typeOf[id] or sub(key, #P + 1, #P + 5) == 'ix:t:' and sub(key, #P + 6) or nil
    end
    look_at(id)
  end
  cursor = page[1]
  if cursor == '0' then at = at + 1 end
end
local over = not sources[at]

-- 2. Find where each is, and where it belongs -------------------------------------------------------------------
local where, lines = {}, {}
if #ids > 0 then
  for i, line in ipairs(call('HMGET', ACTIVE, unpack(ids))) do lines[ids[i]] = line end
  for _, key in ipairs(PLACES) do
    local scores = call('ZMSCORE', key, unpack(ids))
    for i, id in ipairs(ids) do
      if scores[i] then
        where[id] = where[id] or {}
        where[id][#where[id] + 1] = key
      end
    end
  end
end
call('HLEN', PROGRESS); call('HLEN', UNIQUE); call('ZCARD', EXPIRING); call('XLEN', EVENTS); call('LLEN', WAKE)

local removed, placed, leased, keys = {}, {}, 0, 0
-- The end of its history, the fingerprint in its head and what it waits for tell where a task was.
local function belongs(id, head)
  local history = P .. 'h:' .. id
  local last, length = call('STRLEN', history), tonumber(call('GETRANGE', history, -9, -2), 16)
  local kind, at_ = string.match(length and call('GETRANGE', history, last - 9 - length, last - length + 16) or '', '^(%u)(%d+)|')
  local place = kind == 'C' and COMPLETED or sub(head, 13, 16) == '----' and FAILED or kind == 'X' and CANCELLED
  if place then return place, int(((tonumber(at_) or wall) - EPOCH_MS) * 4096 + #placed % 4096) end
  local runAt = tonumber(head_field(head, 12))
  if call('EXISTS', P .. 'waits:' .. id) == 1 then return BLOCKED, int(tonumber(sub(head, 5, 16), 16)) end
  if runAt and runAt > wall then return SCHEDULED, int(runAt) end
  return PENDING, head_score(head)
end

local writes, gone, ended, told = {}, {}, {}, {}
local freed = 0
local function write(...) writes[#writes + 1] = { ... } end
for _, id in ipairs(ids) do
  local head, line, here = call('GETRANGE', P .. 't:' .. id, 0, 33), lines[id], where[id] or {}
  if head == '' then
    gone[id] = true
    for _, key in ipairs(here) do write('ZREM', key, id) end
    if #here > 0 or line or typeOf[id] then removed[#removed + 1] = id end
    for _, key in ipairs({ ACTIVE, PROGRESS }) do write('HDEL', key, id) end
    write('ZREM', EXPIRING, id)
    freed = freed + call('STRLEN', P .. 'h:' .. id)
    write('UNLINK', P .. 'h:' .. id, P .. 'log:' .. id, P .. 'waits:' .. id, P .. 'deps:' .. id)
  else
    local place = here[1]
    if place == LEASES and not line then place = here[2] end
    if line and not place then
      leased = leased + 1
      place = LEASES
      write('ZADD', LEASES, int(mono + 4 * clockCap), id) -- `cap` is a quarter of the shortest lease
    elseif not place or has(head_flags(head), F_UNIQUE) or has(head_flags(head), F_EXPIRES) then
      head = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST)
    end
    if not place then
      local score
      place, score = belongs(id, head)
      placed[#placed + 1] = id
      write('ZADD', place, score, id)
      if place == SCHEDULED then due = min(tonumber(due or NEVER), tonumber(score)) end
      if place == PENDING then told[#told + 1] = id .. sub(head, 32, 32) .. head_type(head) end
    end
    for _, key in ipairs(here) do
      if key ~= place then
        write('ZREM', key, id)
        if placed[#placed] ~= id then placed[#placed + 1] = id end
      end
    end
    if line and place ~= LEASES then
      write('HDEL', ACTIVE, id)
      write('HDEL', PROGRESS, id)
    end
    if FINAL[place] then ended[id] = true
    else
      local lock = has(head_flags(head), F_UNIQUE) and #head > 34 and head_field(head, 6)
      if lock and not call('HGET', UNIQUE, lock) then
        keys = keys + 1
        write('HSET', UNIQUE, lock, id)
      end
      if has(head_flags(head), F_EXPIRES) and #head > 34 and place ~= LEASES and not call('ZSCORE', EXPIRING, id) then
        keys = keys + 1
        write('ZADD', EXPIRING, head_field(head, 4), id)
      end
    end
  end
end

-- 3. Write: nothing below can fail -------------------------------------------------------------------------------
for _, one in ipairs(writes) do call(unpack(one)) end
for _, entry in ipairs(listed) do
  local key, id = entry[1], entry[2]
  if gone[id] then
    call('ZREM', key, id)
    local fingerprint = string.match(key, 'ix:f:(.*)$')
    if fingerprint and call('EXISTS', key) == 0 then call('HDEL', GROUPS, fingerprint) end
  end
end
for _, lock in ipairs(locks) do
  if gone[lock[2]] or ended[lock[2]] then
    keys = keys + 1
    call('HDEL', UNIQUE, lock[1])
  end
end
local ends = {}
for i, id in ipairs(removed) do
  ends[i] = id .. 'M' .. '00000001500000000000' .. (typeOf[id] or 'unknown') .. '|' .. sub((where[id] or { PENDING })[1], #P + 1) .. '||'
end
emit('f', ends)
emit('p', told)
if #told > 0 then wake() end
local repaired = #removed + #placed + leased + keys
if repaired > 0 then
  set('repaired', int(tonumber(was[2] or 0) + repaired)); set('repaired_at', wallText)
  if due then set('due', int(due)) end
  set('bytes', int(max(0, tonumber(bytes or 0) - freed)))
end
set('repair_at', over and '1 0' or int(at) .. ' ' .. cursor)
set('repair_due', int(mono + tonumber(over and ARGV[3] or ARGV[2])))
save_meta()
return { #removed, #placed, leased, keys }
