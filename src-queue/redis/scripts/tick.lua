#!lua flags=allow-oom
-- tick.lua: upkeep of a queue: reap leases that ran out, take back what was handed to workers that do not fetch it, promote
-- what came due, fail what expired.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] limit   of each kind in this call
-- ARGV[2] body    JSON error of a lost lease
-- ARGV[3] fp      its fingerprint
-- ARGV[4] body    JSON error of an expired task
-- ARGV[5] fp      its fingerprint
-- RETURNS {reaped, promoted, expired, entries in the outbox, tasks blocked, clock cap ms, tasks parked,
--   tasks ready: pending, in a queue that is not paused and has room under its limit, 0|1 a look for damage is due,
--   ms until the first lease runs out, or -1} | -1 another layout
-- DERIVES t:<id> h:<id> ix:f:<fingerprint> handed:<worker> from the queue's own sets
-- COST O(log N) a task moved. Any process may call it at any time; nothing depends on who does.
local known, due, paused, concurrency, bytes, repairDue = load_meta('due', 'paused', 'concurrency', 'bytes', 'repair_due')
if not known then return -1 end
due = tonumber(due or NEVER)
local limit = tonumber(ARGV[1])
local lost = call('ZRANGEBYSCORE', LEASES, '-inf', mono, 'LIMIT', 0, limit)
-- What still lies on the list of the worker that it was handed to has not begun: it goes back at no attempt.
local unheard, deaf, lapsed = {}, call('ZRANGEBYSCORE', HANDING, '-inf', mono, 'LIMIT', 0, limit), {}
for _, id in ipairs(lost) do lapsed[id] = true end
for _, worker in ipairs(deaf) do
  for _, entry in ipairs(call('LRANGE', inbox_of(worker), 0, -1)) do
    local token, id = string.match(entry, '^([^|]+)|%d+|([^|]+)|')
    local line = call('HGET', ACTIVE, id)
    if line and find(line, '|' .. token .. '|', 22, true) then
      unheard[id] = true
      if not lapsed[id] then lost[#lost + 1] = id end
    end
  end
end
local lines = #lost > 0 and call('HMGET', ACTIVE, unpack(lost)) or {}
local heads, hlen = {}, {}
local function read_head(id)
  if heads[id] then return end
  heads[id] = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST)
  call('STRLEN', P .. 'h:' .. id)
end
for _, id in ipairs(lost) do read_head(id) end

local dueIds, dueFrom, nextDue = {}, {}, NEVER
if wall >= due then
  for _, key in ipairs({ SCHEDULED, RETRYING }) do
    local found = call('ZRANGEBYSCORE', key, '-inf', wall, 'LIMIT', 0, limit)
    for _, id in ipairs(found) do
      dueIds[#dueIds + 1] = id
      dueFrom[id] = key
      read_head(id)
    end
    local rest = call('ZRANGE', key, #found, #found, 'WITHSCORES')
    if rest[2] then nextDue = min(nextDue, tonumber(rest[2])) end
  end
else
  nextDue = due
end

local expired = call('ZRANGEBYSCORE', EXPIRING, '-inf', '(' .. int(wall), 'LIMIT', 0, limit)
local expiredFrom = {}
if #expired > 0 then
  for _, key in ipairs({ PENDING, PARKED, SCHEDULED, RETRYING, BLOCKED }) do
    local scores = call('ZMSCORE', key, unpack(expired))
    for i, id in ipairs(expired) do
      if scores[i] then expiredFrom[id] = key end
    end
  end
  for _, id in ipairs(expired) do read_head(id) end
end
call('ZCARD', PENDING); call('ZCARD', FAILED); call('ZCARD', CANCELLED); call('XLEN', EVENTS); call('LLEN', WAKE)
call('HLEN', PROGRESS); call('HLEN', UNIQUE); call('HLEN', GROUPS); call('LLEN', OUTBOX)

local gone = call('ZRANGEBYSCORE', STANDBY, '-inf', int(wall - FORGOTTEN), 'LIMIT', 0, limit)

bytes = tonumber(bytes or 0)
local ended, promoted, reaped = {}, {}, 0
for i, id in ipairs(lost) do
  local line, head = lines[i], heads[id]
  call('ZREM', LEASES, id)
  call('HDEL', ACTIVE, id)
  call('HDEL', PROGRESS, id)
  if line and head ~= '' then
    local bar = find(line, '|', 22, true)
    local flags, item = byte(line, 1) - 48, sub(line, 2, bar - 1)
    local stop = find(line, '|', bar + 1, true)
    local token, worker = sub(line, bar + 1, stop - 1), sub(line, stop + 1)
    local attempt, most = tonumber(sub(item, 1, 4)), tonumber(sub(item, 5, 8))
    local kind, middle, counted = unheard[id] and 'R' or 'L', sub(head, 5, 32), unheard[id] and attempt - 1 or attempt
    if has(flags, F_CANCEL) then
      kind = 'X'
      call('ZADD', CANCELLED, rank(#ended), id)
    elseif kind == 'L' and attempt >= most then
      kind = 'D'
      call('ZADD', FAILED, rank(#ended), id)
      middle = ARGV[3] .. '----' .. sub(head, 17, 32)
      bury(id, ARGV[3], head_type(head), 'LeaseLostError')
    else
      call('ZADD', PENDING, head_score(head), id)
      if has(flags, F_EXPIRES) then call('ZADD', EXPIRING, head_field(head, 4), id) end
    end
    -- The token is revoked, written with `!`: its late settle is answered "fenced", not "already".
    local text = segment(kind, item, '|!' .. token .. '|', worker, unheard[id] and '' or ARGV[2])
    bytes = bytes + #text
    call('APPEND', P .. 'h:' .. id, text)
    call('SETRANGE', P .. 't:' .. id, '0', fmt('%04d', counted) .. middle .. char(48 + with(head_flags(head), F_HISTORY)))
    if kind == 'X' or kind == 'D' then
      free_unique(id, head)
      tell_dependants(id, head, 'X')
    end
    if unheard[id] then
      ended[#ended + 1] = id .. kind .. item .. '||--------|'
    else
      reaped = reaped + 1
      ended[#ended + 1] = id .. kind .. item .. '||' .. ARGV[3] .. '|LeaseLostError'
    end
  end
end
emit('f', ended)

local told = {}
local dead = {}
for _, id in ipairs(expired) do
  local head, from = heads[id], expiredFrom[id]
  call('ZREM', EXPIRING, id)
  if from and head ~= '' then
    call('ZREM', from, id)
    if from == BLOCKED then call('DEL', P .. 'waits:' .. id) end
    dueFrom[id] = nil
    call('ZADD', FAILED, rank(#ended + #dead), id)
    bury(id, ARGV[5], head_type(head), 'ExpiredError')
    bytes = bytes + end_waiting(id, head, 'E', ARGV[5] .. '----' .. sub(head, 17, 32), ARGV[4])
    dead[#dead + 1] = id .. 'E' .. item_of(head, tonumber(sub(head, 1, 4))) .. '||' .. ARGV[5] .. '|ExpiredError'
  end
end
emit('f', dead)

for _, id in ipairs(dueIds) do
  if dueFrom[id] then
    call('ZREM', dueFrom[id], id)
    if heads[id] ~= '' then
      call('ZADD', PENDING, head_score(heads[id]), id)
      promoted[#promoted + 1] = id .. sub(heads[id], 32, 32) .. head_type(heads[id])
    end
  end
end
emit('p', promoted)
if #promoted > 0 or #ended > 0 then wake() end
many('ZREM', STANDBY, gone) -- workers that died while they stood by
many('ZREM', HANDING, deaf)
for _, worker in ipairs(deaf) do call('DEL', inbox_of(worker)) end
set('due', int(nextDue)); set('bytes', int(bytes))
save_meta()
local nextLease = call('ZRANGE', LEASES, '0', '0', 'WITHSCORES')[2]
local ready = paused == '1' and 0 or call('ZCARD', PENDING)
if ready > 0 and concurrency and call('ZCARD', LEASES) >= tonumber(concurrency) then ready = 0 end
return { reaped, #promoted, #dead, call('LLEN', OUTBOX), call('ZCARD', BLOCKED), clockCap, call('ZCARD', PARKED), ready,
  mono >= tonumber(repairDue or 0) and 1 or 0, nextLease and max(0, tonumber(nextLease) - mono) or -1 }
