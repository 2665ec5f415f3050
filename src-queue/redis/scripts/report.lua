#!lua flags=allow-oom
-- report.lua: progress and log lines of running attempts; nothing is written for one that lost its lease.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] log lines kept per task; then per report: id, token, percent or '', message (escaped), n, n log lines
-- RETURNS ids whose lease is lost | -1 another layout
-- DERIVES log:<id> LIST from the ids given
-- COST O(1) a line
if not load_meta() then return -1 end
local keep = -tonumber(ARGV[1])
local reports, at = {}, 2
while ARGV[at] do
  local n = tonumber(ARGV[at + 4])
  reports[#reports + 1] = at
  at = at + 5 + n
end
local ids = {}
for i, from in ipairs(reports) do ids[i] = ARGV[from] end
local lines = #ids > 0 and call('HMGET', ACTIVE, unpack(ids)) or {}
call('HLEN', PROGRESS); call('XLEN', EVENTS)
for i, id in ipairs(ids) do
  if ARGV[reports[i] + 4] ~= '0' then call('LLEN', P .. 'log:' .. id) end
end
local lost, told = {}, {}
for i, from in ipairs(reports) do
  local id, token, line = ids[i], ARGV[from + 1], lines[i]
  local bar = line and find(line, '|', 22, true)
  if not line or sub(line, bar, bar + #token + 1) ~= '|' .. token .. '|' then
    lost[#lost + 1] = id
  else
    local percent, n = ARGV[from + 2], tonumber(ARGV[from + 4])
    if percent ~= '' then
      call('HSET', PROGRESS, id, percent .. '|' .. ARGV[from + 3])
      told[#told + 1] = id .. sub(line, 2, bar - 1) .. '|' .. percent .. '|' .. ARGV[from + 3]
    end
    if n > 0 then
      call('RPUSH', P .. 'log:' .. id, unpack(ARGV, from + 5, from + 4 + n))
      call('LTRIM', P .. 'log:' .. id, keep, -1)
    end
  end
end
emit('g', told)
save_meta()
return lost
