#!lua flags=allow-oom
-- cancel.lua: end tasks that wait, ask those that run.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] body   JSON {"reason":…}
-- ARGV[2] types  `,a,b,` task types whose tasks have tasks of their own
-- then ids
-- RETURNS one character a task: C cancelled, A asked (it runs; the next extend tells its worker), F final, X final by a
--   cancel, G gone;
--   c and a instead of C and A where it is of one of the types and has been started | -1 another layout
-- DERIVES t:<id> h:<id> from its arguments
-- COST O(log N) a task
local known, bytes = load_meta('bytes')
if not known then return -1 end
local ids = { unpack(ARGV, 3) }
if #ids == 0 then return '' end
local lines = call('HMGET', ACTIVE, unpack(ids))
local heads, from = {}, {}
for i, id in ipairs(ids) do
  heads[i] = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST)
  call('STRLEN', P .. 'h:' .. id)
end
for _, key in ipairs({ PENDING, PARKED, SCHEDULED, RETRYING, BLOCKED }) do
  local scores = call('ZMSCORE', key, unpack(ids))
  for i = 1, #ids do if scores[i] then from[i] = key end end
end
local cancelled = call('ZMSCORE', CANCELLED, unpack(ids))
 call('XLEN', EVENTS); call('HLEN', UNIQUE); call('ZCARD', EXPIRING); call('LLEN', OUTBOX)

local function has_children(head)
  return head ~= '' and find(ARGV[2], ',' .. head_type(head) .. ',', 1, true) ~= nil
end
local out, told, seen = {}, {}, {}
bytes = tonumber(bytes or 0)
for i, id in ipairs(ids) do
  if lines[i] then
    out[i] = has_children(heads[i]) and 'a' or 'A'
    local flags = byte(lines[i], 1) - 48
    call('HSET', ACTIVE, id, char(48 + with(flags, F_CANCEL)) .. sub(lines[i], 2))
  elseif from[i] and heads[i] ~= '' and not seen[id] then
    seen[id] = true
    out[i] = has(head_flags(heads[i]), F_HISTORY) and has_children(heads[i]) and 'c' or 'C'
    call('ZREM', from[i], id)
    call('ZADD', CANCELLED, rank(#told), id)
    call('DEL', P .. 'waits:' .. id)
    bytes = bytes + end_waiting(id, heads[i], 'X', nil, ARGV[1])
    told[#told + 1] = id .. 'X' .. item_of(heads[i], tonumber(sub(heads[i], 1, 4))) .. '|||'
  else
    out[i] = heads[i] == '' and 'G' or cancelled[i] and 'X' or 'F'
  end
end
emit('f', told)
set('bytes', int(bytes))
save_meta()
return table.concat(out)
