#!lua flags=no-writes
-- types.lua: which task types wait in a queue, of a sample of its pending tasks that is spread over all of them.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] sample  tasks looked at, at most
-- ARGV[2] piece   tasks that are read side by side
-- RETURNS {pending tasks, tasks looked at, type, count, type, count …}; -1 another layout
-- DERIVES t:<id> of pending tasks
-- COST O(sample)
if not known_layout() then return -1 end
local sample, piece = tonumber(ARGV[1]), tonumber(ARGV[2])
local counts, looked, total = {}, 0, 0
local sizes = {}
for _, key in ipairs({ PENDING, PARKED }) do
  sizes[key] = call('ZCARD', key)
  total = total + sizes[key]
end
local function look_at(key, from, count)
  for _, id in ipairs(call('ZRANGE', key, from, from + count - 1)) do
    local head = call('GETRANGE', P .. 't:' .. id, 0, 127)
    local bar = find(head, '|', 34, true)
    if bar then
      local kind = sub(head, 34, bar - 1)
      counts[kind] = (counts[kind] or 0) + 1
      looked = looked + 1
    end
  end
end
for _, key in ipairs({ PENDING, PARKED }) do
  local size = sizes[key]
  local share = total <= sample and size or floor(sample * size / total)
  if share >= size then
    look_at(key, 0, size)
  elseif share > 0 then
    local pieces = max(1, floor(share / piece))
    for i = 0, pieces - 1 do look_at(key, floor(i * size / pieces), floor(share / pieces)) end
  end
end
local out = { total, looked }
for kind, count in pairs(counts) do
  out[#out + 1] = kind
  out[#out + 1] = count
end
return out
