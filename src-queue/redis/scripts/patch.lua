#!lua
-- patch.lua: replace the record of a task that waits, if nobody has changed it meanwhile.
-- KEYS[1] meta HASH mr:{q}:meta
-- ARGV[1] id
-- ARGV[2] hash     SHA-1 of the record that the caller read
-- ARGV[3] rest     the new record from byte 28 on
-- ARGV[4] due      new due time ms; 0: now; '': as it is
-- ARGV[5..8] tags removed, tags added (joined by ;), old name|, new name| entry of the name index, or ''
-- RETURNS P patched, S stale (read it again), R running, F final, G gone | -1 another layout
-- DERIVES t:<id> ix:g:<tag> from its arguments
-- COST O(log N)
local known, due, bytes = load_meta('due', 'bytes')
if not known then return -1 end
local id = ARGV[1]
local record = call('GET', P .. 't:' .. id)
if not record then return 'G' end
if call('HEXISTS', ACTIVE, id) == 1 then return 'R' end
local from
for _, key in ipairs({ PENDING, PARKED, SCHEDULED, RETRYING, BLOCKED }) do
  if call('ZSCORE', key, id) then from = key end
end
if not from then return 'F' end
if redis.sha1hex(record) ~= ARGV[2] then return 'S' end
call('XLEN', EVENTS); call('LLEN', WAKE); call('ZCARD', P .. 'ix:n')
for tag in string.gmatch(ARGV[5] .. ';' .. ARGV[6], '[^;]+') do call('ZCARD', P .. 'ix:g:' .. tag) end

local new = sub(record, 1, 27) .. ARGV[3]
call('SET', P .. 't:' .. id, new)
for tag in string.gmatch(ARGV[5], '[^;]+') do call('ZREM', P .. 'ix:g:' .. tag, id) end
for tag in string.gmatch(ARGV[6], '[^;]+') do call('ZADD', P .. 'ix:g:' .. tag, 0, id) end
if ARGV[7] ~= '' then call('ZREM', P .. 'ix:n', ARGV[7] .. id) end
if ARGV[8] ~= '' then call('ZADD', P .. 'ix:n', 0, ARGV[8] .. id) end
local score = head_score(new)
if from == PENDING or from == PARKED then call('ZADD', from, score, id) end
if ARGV[4] ~= '' and from ~= BLOCKED then
  local at = tonumber(ARGV[4])
  if at > wall then
    if from == PENDING or from == PARKED then call('ZREM', from, id); from = SCHEDULED end
    call('ZADD', from, int(at), id)
    if at < tonumber(due or NEVER) then set('due', int(at)); wake() end
  elseif from == SCHEDULED or from == RETRYING then
    call('ZREM', from, id)
    from = PENDING
    call('ZADD', from, score, id)
    wake()
  end
end
set('bytes', int(tonumber(bytes or 0) + #new - #record))
local retries = head_field(new, 10)
if retries == '' then retries = '3' end
emit('f', { id .. 'U' .. item_of(new, tonumber(sub(new, 1, 4))) .. '|' .. sub(from, #P + 1) .. '|' .. retries .. '|' })
save_meta()
return 'P'
