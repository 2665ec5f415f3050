-- What happens beside a task that ends: its unique key is freed, its dependants are told, the dead-letter queue's
-- index knows it.

-- Groups of the dead-letter queue, one line a fingerprint: first ms|last ms|task type|error name.
local function bury(id, fingerprint, taskType, errorName)
  call('ZADD', P .. 'ix:f:' .. fingerprint, '0', id)
  local known = call('HGET', GROUPS, fingerprint)
  local first = known and sub(known, 1, find(known, '|', 1, true) - 1) or int(wall)
  call('HSET', GROUPS, fingerprint, first .. '|' .. int(wall) .. '|' .. taskType .. '|' .. errorName)
end

-- A task leaves the dead-letter queue: its fingerprint stands where its seq was.
local function exhume(id, head)
  local fingerprint = sub(head, 5, 12)
  local key = P .. 'ix:f:' .. fingerprint
  call('ZREM', key, id)
  if call('EXISTS', key) == 0 then call('HDEL', GROUPS, fingerprint) end
end

local function free_unique(id, head)
  if not has(head_flags(head), F_UNIQUE) then return end
  local key = head_field(head, 5 + 1)
  if call('HGET', UNIQUE, key) == id then call('HDEL', UNIQUE, key) end
end

-- Dependants may live in other slots, so what a task's end means to them waits in the outbox; it is relayed by
-- whoever ticks next, and at once by the caller that sees the outbox grow.
local function tell_dependants(id, head, verdict)
  if has(head_flags(head), F_NEEDED) then call('RPUSH', OUTBOX, id .. '|' .. verdict) end
end

-- Ends a task that is not running: history, head, unique key, dependants. The caller moves it between the sets.
-- `middle` replaces bytes 5 to 32 of the head, or nil. Returns the bytes written.
local function end_waiting(id, head, kind, middle, body)
  local text = segment(kind, item_of(head, tonumber(sub(head, 1, 4))), '||', '', body)
  call('APPEND', P .. 'h:' .. id, text)
  call('SETRANGE', P .. 't:' .. id, '4', (middle or sub(head, 5, 32)) .. char(48 + with(head_flags(head), F_HISTORY)))
  free_unique(id, head)
  tell_dependants(id, head, 'X')
  if has(head_flags(head), F_EXPIRES) then call('ZREM', EXPIRING, id) end
  return #text
end
