#!lua flags=allow-oom
-- unblock.lua: a child hears how its parents ended.
-- KEYS[1] meta HASH mr:{q}:meta of the child's queue
-- ARGV[1] fingerprint of a failed dependency
-- then (child id, parent id, C|X|G, JSON error) each
-- RETURNS tasks that left `blocked` | -1 another layout
-- DERIVES t:<id> h:<id> waits:<id> ix:f:<fingerprint> from its arguments
-- COST O(log N) a pair. Repeating it changes nothing.
local known, due, bytes = load_meta('due', 'bytes')
if not known then return -1 end
local heads, left = {}, {}
for i = 2, #ARGV, 4 do
  local id = ARGV[i]
  heads[id] = call('GETRANGE', P .. 't:' .. id, '0', HEAD_LAST)
  left[id] = call('SCARD', P .. 'waits:' .. id)
  call('STRLEN', P .. 'h:' .. id)
end
call('ZCARD', PENDING); call('ZCARD', SCHEDULED); call('ZCARD', FAILED); call('XLEN', EVENTS); call('LLEN', WAKE)
call('HLEN', UNIQUE); call('HLEN', GROUPS); call('LLEN', OUTBOX); call('ZCARD', EXPIRING)
due, bytes = tonumber(due or NEVER), tonumber(bytes or 0)
local freed, failed = {}, {}
for i = 2, #ARGV, 4 do
  local id, parent, verdict, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local head = heads[id]
  if head ~= '' and call('ZSCORE', BLOCKED, id) then
    if verdict == 'C' then
      left[id] = left[id] - call('SREM', P .. 'waits:' .. id, parent)
      if left[id] == 0 then
        call('ZREM', BLOCKED, id)
        local runAt = tonumber(head_field(head, 12))
        local state = 'r'
        if runAt and runAt > wall then
          state = 's'
          call('ZADD', SCHEDULED, int(runAt), id)
          due = min(due, runAt)
        else
          call('ZADD', PENDING, head_score(head), id)
        end
        freed[#freed + 1] = id .. state .. sub(head, 32, 32) .. head_type(head)
      end
    else
      call('ZREM', BLOCKED, id)
      call('DEL', P .. 'waits:' .. id)
      call('ZADD', FAILED, rank(#failed), id)
      bury(id, ARGV[1], head_type(head), 'DependencyError')
      bytes = bytes + end_waiting(id, head, 'D', ARGV[1] .. '----' .. sub(head, 17, 32), body)
      failed[#failed + 1] = id .. 'D' .. item_of(head, 0) .. '||' .. ARGV[1] .. '|DependencyError'
    end
  end
end
emit('b', freed)
emit('f', failed)
if #freed > 0 then wake() end
set('due', int(due)); set('bytes', int(bytes))
save_meta()
return #freed + #failed
