#!lua flags=allow-oom
-- extend.lua: keep running attempts owned by the worker that claimed them.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] lease ms; then (id, token) each
-- RETURNS {ids whose lease is lost, ids that someone asked to cancel} | -1 another layout
-- COST O(log N) a lease. Uses the queue clock, never the caller's.
if not load_meta() then return -1 end
local ids = {}
for i = 2, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
local lines = #ids > 0 and call('HMGET', ACTIVE, unpack(ids)) or {}
call('ZCARD', LEASES)
local lost, asked, held = {}, {}, {}
local expiry = int(mono + tonumber(ARGV[1]))
for i, id in ipairs(ids) do
  local token, line = ARGV[2 * i + 1], lines[i]
  local bar = line and find(line, '|', 22, true)
  if not line or sub(line, bar, bar + #token + 1) ~= '|' .. token .. '|' then
    lost[#lost + 1] = id
  else
    held[#held + 1] = expiry
    held[#held + 1] = id
    if has(byte(line, 1) - 48, F_CANCEL) then asked[#asked + 1] = id end
  end
end
if #held > 0 then call('ZADD', LEASES, 'XX', unpack(held)) end
local cap = max(250, floor(tonumber(ARGV[1]) / 4))
if cap < clockCap then set('cap', int(cap)) end
save_meta()
return { lost, asked }
