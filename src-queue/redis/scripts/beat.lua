#!lua flags=allow-oom
-- beat.lua: a worker tells of itself, and hears what it is asked to do. With `allow-oom`: workers must be able to come
-- and drain a Redis that is full.
-- KEYS[1] meta HASH mr:{_sys}:meta, which names the slot and is not touched
-- ARGV[1] id     of the worker
-- ARGV[2] json   the worker as the API shows it; '' leaves it
-- ARGV[3] ttl    ms until it is forgotten
-- then (task type, JSON) each: types that it announces
-- RETURNS commands given since the last beat; -1 another layout
-- DERIVES worker:<id> control:<id> from its arguments
-- COST O(types + commands)
if not known_layout() then return -1 end
local id = ARGV[1]
local commands = call('LRANGE', P .. 'control:' .. id, 0, -1)
if ARGV[2] ~= '' then
  call('SADD', P .. 'workers', id)
  call('SET', P .. 'worker:' .. id, ARGV[2], 'PX', ARGV[3])
end
if ARGV[4] then call('HSET', P .. 'types', unpack(ARGV, 4)) end
if #commands > 0 then call('DEL', P .. 'control:' .. id) end
return commands
