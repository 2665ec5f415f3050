#!lua
-- depend.lua: a child asks its parent to be told of its end.
-- KEYS[1] meta HASH mr:{q}:meta of the parent's queue
-- then (parent id, `queue|child id`) each
-- RETURNS one character a pair: W waits, C completed, X failed or cancelled, G gone | -1 another layout
-- DERIVES t:<id> deps:<id> from its arguments
-- COST O(log N) a pair. Repeating it changes nothing.
if not load_meta() then return -1 end
local out = {}
local flagsOf = {}
for i = 1, #ARGV, 2 do
  local id = ARGV[i]
  local head = call('GETRANGE', P .. 't:' .. id, 0, 33)
  call('SCARD', P .. 'deps:' .. id)
  if head == '' then out[#out + 1] = 'G'
  elseif call('ZSCORE', COMPLETED, id) then out[#out + 1] = 'C'
  elseif call('ZSCORE', FAILED, id) or call('ZSCORE', CANCELLED, id) then out[#out + 1] = 'X'
  else
    out[#out + 1] = 'W'
    flagsOf[i] = head_flags(head)
  end
end
for i = 1, #ARGV, 2 do
  local id = ARGV[i]
  if flagsOf[i] then
    call('SADD', P .. 'deps:' .. id, ARGV[i + 1])
    call('SETRANGE', P .. 't:' .. id, 32, char(48 + with(flagsOf[i], F_NEEDED)))
    local line = call('HGET', ACTIVE, id)
    if line then call('HSET', ACTIVE, id, char(48 + with(byte(line, 1) - 48, F_NEEDED)) .. sub(line, 2)) end
  end
end
return table.concat(out)
