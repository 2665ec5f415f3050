#!lua flags=no-writes
-- read.lua: tasks by id.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] preview bytes, 0 for whole records; then ids
-- RETURNS eight values a task, see lib/reading.lua; -1 another layout
-- DERIVES t:<id> h:<id> from its arguments
-- COST O(answer)
if not known_layout() then return -1 end
return read_tasks({ unpack(ARGV, 2) }, tonumber(ARGV[1]))
