#!lua flags=allow-oom
-- prune.lua: retention. Removes the oldest final tasks that are over a cap: count, age, or bytes of the queue.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] limit   tasks in this call
-- ARGV[2..4] most completed, failed, cancelled tasks to keep
-- ARGV[5..7] oldest of each to keep, ms since it ended; 0 keeps them whatever their age
-- ARGV[8] bytes of records and histories the queue may hold before completed tasks go early; 0 is no cap
-- RETURNS tasks removed | -1 another layout
-- DERIVES t:<id> h:<id> log:<id> waits:<id> i:<key> ix:* from ids in the queue's own sets
-- COST O(log N) a task. Nothing goes in its first 10 s, nor, with an idempotency key, in its first 24 h: a repeated
-- submit must find it.
local known, bytes = load_meta('bytes')
if not known then return -1 end
local limit = tonumber(ARGV[1])
bytes = tonumber(bytes or 0)
local most = tonumber(ARGV[8])
local plan, told = {}, {}
for k, key in ipairs({ COMPLETED, FAILED, CANCELLED }) do
  local over = call('ZCARD', key) - tonumber(ARGV[1 + k])
  local age = tonumber(ARGV[4 + k])
  local oldest = call('ZRANGE', key, '0', int(limit - 1), 'WITHSCORES')
  for i = 1, #oldest, 2 do
    local ended = time_of_rank(oldest[i + 1])
    local wanted = over > 0 or (age > 0 and ended < wall - age) or (key == COMPLETED and most > 0 and bytes > most)
    if not wanted or #plan >= limit then break end
    if ended < wall - 10000 then
      local id = oldest[i]
      local head = head_of(id)
      local size = bytes_of(id)
      local keyed = head ~= '' and says_more(head) and head_field(head, 9) ~= ''
      if not keyed or tonumber(sub(head, 17, 27), 16) < wall - 86400000 then
        plan[#plan + 1] = { id, head, key }
        over = over - 1
        bytes = bytes - size
      end
    end
  end
end
call('XLEN', EVENTS); call('HLEN', UNIQUE); call('ZCARD', EXPIRING); call('LLEN', OUTBOX); call('HLEN', GROUPS)
if #plan == 0 then return 0 end
for _, item in ipairs(plan) do
  local id, head, key = item[1], item[2], item[3]
  if head == '' then leave(key, id)
  else
    told[#told + 1] = id .. 'M' .. item_of(head, tonumber(sub(head, 1, 4))) .. '|' .. sub(key, #P + 1) .. '||'
    remove_task(id, head, key)
  end
end
finish_removal()
emit('f', told)
set('bytes', int(max(0, bytes)))
save_meta()
return #plan
