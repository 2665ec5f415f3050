#!lua
-- requeue.lua: failed or cancelled tasks go back to pending, at the back of their priority, with a new budget of
-- attempts; attempts are counted on and the history is kept.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] band     10 - priority, or '' to keep it
-- ARGV[2] 1 where ARGV[3] is a new payload
-- ARGV[3] payload
-- ARGV[4] 1 where no other queue holds the unique keys of these tasks
-- then ids
-- RETURNS one character a task: Q requeued, N not failed or cancelled, L the same, and requeued last, D its unique key is taken, G gone;
--   U nothing was done: it has a unique key, and other queues have to be asked for it first | -1 another layout
-- DERIVES t:<id> h:<id> ix:f:<fingerprint> from its arguments
-- COST O(log N) a task
local known, seq, bytes = load_meta('seq', 'bytes')
if not known then return -1 end
local ids = { unpack(ARGV, 5) }
if #ids == 0 then return '' end
local failed, cancelled = call('ZMSCORE', FAILED, unpack(ids)), call('ZMSCORE', CANCELLED, unpack(ids))
local heads = {}
-- The kind of the last segment of a history.
local function last_segment(id)
  local history = P .. 'h:' .. id
  local length = tonumber(call('GETRANGE', history, '-9', '-2'), 16)
  return length and call('GETRANGE', history, -9 - length, -9 - length)
end
for i, id in ipairs(ids) do
  heads[i] = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST)
  call('STRLEN', P .. 'h:' .. id)
end
call('ZCARD', PENDING); call('XLEN', EVENTS); call('HLEN', UNIQUE); call('HLEN', GROUPS); call('LLEN', WAKE)
local out, told, seen = {}, {}, {}
local requeued = segments('Q', '')
seq, bytes = tonumber(seq or 0), tonumber(bytes or 0)
for i, id in ipairs(ids) do
  local head = heads[i]
  local flags = head ~= '' and head_flags(head) or 0
  local lock = has(flags, F_UNIQUE) and head_field(head, 6)
  local owner = lock and call('HGET', UNIQUE, lock)
  if head == '' then out[i] = 'G'
  elseif seen[id] or not (failed[i] or cancelled[i]) then out[i] = last_segment(id) == 'Q' and 'L' or 'N'
  elseif owner and owner ~= id and call('EXISTS', P .. 't:' .. owner) == 1 then out[i] = 'D'
  elseif lock and ARGV[4] ~= '1' then out[i] = 'U'
  else
    seen[id] = true
    out[i] = 'Q'
    seq = seq + 1
    if failed[i] then exhume(id, head) end
    call('ZREM', failed[i] and FAILED or CANCELLED, id)
    local attempts = tonumber(sub(head, 1, 4))
    local budget = tonumber(head_field(head, 10) ~= '' and head_field(head, 10) or 3) + 1
    local band = ARGV[1] ~= '' and ARGV[1] or sub(head, 32, 32)
    -- An expiry that has passed would fail it again at once: the operator's word counts.
    if has(flags, F_EXPIRES) then
      local expires = tonumber(head_field(head, 4))
      if expires < wall then flags = flags - F_EXPIRES else call('ZADD', EXPIRING, expires, id) end
    end
    local fixed = sub(head, 1, 4) .. fmt('%012x', seq) .. sub(head, 17, 27) .. fmt('%04d', attempts + budget) .. band
      .. char(48 + with(flags, F_HISTORY))
    if ARGV[2] == '1' then
      local record = fixed .. sub(head, 34, find(head, '\n', 34, true)) .. ARGV[3]
      bytes = bytes + #record - call('STRLEN', P .. 't:' .. id)
      call('SET', P .. 't:' .. id, record)
    else
      call('SETRANGE', P .. 't:' .. id, '0', fixed)
    end
    if lock then call('HSET', UNIQUE, lock, id) end
    -- With aging, waiting begins anew: the time in the dead-letter queue does not count.
    call('ZADD', PENDING, score_of(byte(band) - 48, seq, wall), id)
    local text = requeued(item_of(head, attempts), '||', '')
    bytes = bytes + #text
    call('APPEND', P .. 'h:' .. id, text)
    told[#told + 1] = id .. 'Q' .. item_of(fixed .. sub(head, 34), attempts) .. '|||'
  end
end
emit('f', told)
if #told > 0 then wake() end
set('seq', int(seq)); set('bytes', int(bytes))
save_meta()
return table.concat(out)
