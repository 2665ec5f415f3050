-- Idle workers that stand by for a task: `standby` has a line each, `worker|nonce|lease ms|,types,`, with the time until which it
-- holds. That is wall time: whatever the wall clock does, a worker is passed over at worst, or one gets a task that has died.
local STANDBY = P .. 'standby'
local LONGEST_STAND = 10000 -- ms

local function inbox_of(worker) return P .. 'handed:' .. worker end

-- The one that said so last; nil where none does. Also reads what handing a task to it will write.
local function last_standing()
  local last = call('ZREVRANGE', STANDBY, 0, 0, 'WITHSCORES')
  local left = tonumber(last[2] or 0) - wall
  if left <= 0 or left > LONGEST_STAND then return nil end
  local worker, nonce, lease, types = string.match(last[1], '^([^|]+)|([^|]+)|(%d+)|(.*)$')
  call('ZCARD', LEASES); call('HLEN', ACTIVE); call('LLEN', inbox_of(worker))
  return { place = last[1], worker = worker, nonce = nonce, lease = tonumber(lease), types = types }
end

-- token, id, record … of what was handed over under this nonce and has not ended. COST O(running tasks of the queue)
local function handed_under(nonce)
  local found = {}
  local all = call('HGETALL', ACTIVE)
  local tail = ':' .. nonce .. '|'
  for i = 1, #all, 2 do
    local at = find(all[i + 1], tail, 22, true)
    local record = at and call('GET', P .. 't:' .. all[i])
    if record then
      local bar = find(all[i + 1], '|', 22, true)
      found[#found + 1] = sub(all[i + 1], bar + 1, at + #nonce)
      found[#found + 1] = all[i]
      found[#found + 1] = record
    end
  end
  return found
end
