#!lua
-- configure.lua: pause, resume and limits of a queue.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV    (field, value) each; the value '' removes the field
-- RETURNS 1 | 0 `aging` cannot change while tasks are pending or running | -1 another layout
-- COST O(1)
local known, aging = load_meta('aging')
if not known then return -1 end
call('LLEN', WAKE)
for i = 1, #ARGV, 2 do
  local changes = ARGV[i] == 'aging' and ARGV[i + 1] ~= (aging or '')
  if changes and call('ZCARD', PENDING) + call('ZCARD', PARKED) + call('ZCARD', LEASES) > 0 then return 0 end
end
for i = 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then call('HDEL', KEYS[1], ARGV[i]) else set(ARGV[i], ARGV[i + 1]) end
end
save_meta()
if call('ZCARD', PENDING) > 0 then wake() end
return 1
