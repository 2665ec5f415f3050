#!lua flags=allow-oom
-- remove.lua: delete tasks that are not running.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV    ids
-- RETURNS one character a task: M removed, R running, G gone | -1 another layout
-- DERIVES t:<id> h:<id> log:<id> waits:<id> i:<key> ix:* from its arguments
-- COST O(log N) a task
local known, bytes = load_meta('bytes')
if not known then return -1 end
local ids = { unpack(ARGV) }
if #ids == 0 then return '' end
local lines = call('HMGET', ACTIVE, unpack(ids))
local heads, from = {}, {}
for i, id in ipairs(ids) do
  heads[i] = head_of(id)
  call('STRLEN', P .. 'h:' .. id)
end
for _, key in ipairs({ PENDING, PARKED, SCHEDULED, RETRYING, BLOCKED, COMPLETED, FAILED, CANCELLED }) do
  local scores = call('ZMSCORE', key, unpack(ids))
  for i = 1, #ids do if scores[i] then from[i] = key end end
end
call('XLEN', EVENTS); call('HLEN', UNIQUE); call('ZCARD', EXPIRING); call('LLEN', OUTBOX); call('HLEN', GROUPS)
local out, told, seen = {}, {}, {}
bytes = tonumber(bytes or 0)
for i, id in ipairs(ids) do
  if lines[i] then out[i] = 'R'
  elseif heads[i] == '' or seen[id] then out[i] = 'G'
  else
    seen[id] = true
    out[i] = 'M'
    local item = item_of(heads[i], tonumber(sub(heads[i], 1, 4)))
    bytes = bytes - bytes_of(id)
    remove_task(id, heads[i], from[i] or PENDING)
    told[#told + 1] = id .. 'M' .. item .. '|' .. sub(from[i] or PENDING, #P + 1) .. '||'
  end
end
finish_removal()
emit('f', told)
set('bytes', int(max(0, bytes)))
save_meta()
return table.concat(out)
