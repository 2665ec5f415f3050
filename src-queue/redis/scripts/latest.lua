#!lua flags=no-writes
-- latest.lua: the task of one type that completed last, among the newest completed tasks of the queue.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] type
-- ARGV[2] most  tasks looked at
-- RETURNS {id, finished ms} | {} where none of them is of this type; -1 another layout
-- DERIVES t:<id> of completed tasks
-- COST O(most)
if not known_layout() then return -1 end
local wanted, most = ARGV[1] .. '|', tonumber(ARGV[2])
for from = 0, most - 1, 100 do
  local found = call('ZRANGE', COMPLETED, from, min(from + 99, most - 1), 'REV', 'WITHSCORES')
  for i = 1, #found, 2 do
    if call('GETRANGE', P .. 't:' .. found[i], 33, 32 + #wanted) == wanted then
      return { found[i], int(time_of_rank(found[i + 1])) }
    end
  end
  if #found == 0 then break end
end
return {}
