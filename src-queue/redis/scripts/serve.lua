#!lua flags=allow-oom
-- serve.lua: a worker says which types it runs here; parked tasks of these types return to pending.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] ttl ms; ARGV[2] limit; then types
-- RETURNS tasks that returned | -1 another layout
-- DERIVES t:<id> from ids in `parked`
-- COST O(parked tasks looked at, at most limit)
if not load_meta() then return -1 end
local types = {}
for i = 3, #ARGV do types[ARGV[i]] = true end
local parked = call('ZRANGE', PARKED, 0, tonumber(ARGV[2]) - 1, 'WITHSCORES')
local heads = {}
for i = 1, #parked, 2 do heads[i] = call('GETRANGE', P .. 't:' .. parked[i], 0, 128) end
call('ZCARD', PENDING); call('HLEN', SERVED); call('LLEN', WAKE)
local back = 0
for i = 1, #parked, 2 do
  if heads[i] == '' then call('ZREM', PARKED, parked[i])
  elseif types[head_type(heads[i])] then
    call('ZREM', PARKED, parked[i])
    call('ZADD', PENDING, parked[i + 1], parked[i])
    back = back + 1
  end
end
local served = {}
for i = 3, #ARGV do
  served[#served + 1] = ARGV[i]
  served[#served + 1] = int(mono + tonumber(ARGV[1]))
end
many('HSET', SERVED, served)
if back > 0 then wake() end
save_meta()
return back
