-- All that lies in Redis of one queue, in one call: KEYS[1] is its meta hash, ARGV[1] what all its keys begin with.
-- RETURNS name, value, name, value … : strings as they are, lists, and flat pairs of hashes and sorted sets.
local out = {}
local pattern = string.gsub(ARGV[1], '[%[%]%*%?\\]', '\\%0')
for _, key in ipairs(redis.call('KEYS', pattern .. '*')) do
  local type = redis.call('TYPE', key).ok
  local value
  if type == 'string' then value = redis.call('GET', key)
  elseif type == 'hash' then value = redis.call('HGETALL', key)
  elseif type == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif type == 'set' then value = redis.call('SMEMBERS', key)
  elseif type == 'list' then value = redis.call('LRANGE', key, 0, -1)
  elseif type == 'stream' then value = redis.call('XRANGE', key, '-', '+') end
  if value then
    out[#out + 1] = string.sub(key, #ARGV[1] + 1)
    out[#out + 1] = value
  end
end
return out
