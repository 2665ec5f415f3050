#!lua flags=allow-oom
-- outbox.lua: read what parents' ends mean to their dependants, and take off what has been told.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] limit
-- then entries that have been told
-- RETURNS entry, {`queue|child` …}, entry, {…} …; -1 another layout
-- DERIVES deps:<id> from the outbox's entries
-- COST O(dependants)
if not known_layout() then return -1 end
for i = 2, #ARGV do
  call('LREM', OUTBOX, 1, ARGV[i])
  call('DEL', P .. 'deps:' .. sub(ARGV[i], 1, 26))
end
local out = {}
for _, entry in ipairs(call('LRANGE', OUTBOX, 0, tonumber(ARGV[1]) - 1)) do
  out[#out + 1] = entry
  out[#out + 1] = call('SMEMBERS', P .. 'deps:' .. sub(entry, 1, 26))
end
return out
