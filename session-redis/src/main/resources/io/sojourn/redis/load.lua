-- Tells what changed since a known version.
-- KEYS session, index, expiry, door. ARGV offset, known version, how many versions removals are marked for.
local time = now(ARGV[1])
local known = tonumber(ARGV[2])
local s = find(KEYS[1], KEYS[4])
if not s then
  local half = redis.call('EXISTS', KEYS[1]) == 1 and not read(KEYS[1])
  return { half and 'damaged' or 'missing' }
end
if s.claim or expired(s, time) then
  return { 'missing' }
end

local answer
if known == s.version then
  answer = { 'unchanged', text(s.accessed) }
elseif not whole(s) then
  return { 'damaged' }
elseif known < 1 or known > s.version or s.version - known > tonumber(ARGV[3]) then
  answer = { 'found', record(s) }
else
  local set = {}
  local written = redis.call('ZRANGEBYSCORE', s.index, '(' .. text(known), '+inf', 'WITHSCORES')
  for i = 1, #written, 2 do
    local value = redis.call('HGET', s.name, ':' .. written[i])
    if not value then
      return { 'damaged' }
    end
    set[#set + 1] = written[i]
    set[#set + 1] = written[i + 1]
    set[#set + 1] = value
  end
  local removed = redis.call('ZRANGEBYSCORE', s.index, '-inf', '(-' .. text(known), 'WITHSCORES')
  local m = redis.call('HMGET', s.name, 'version', 'accessed', 'idle', 'touch')
  answer = { 'changed', m, set, removed }
end

if time - s.accessed > s.touch then
  s.accessed = time
  redis.call('HSET', s.name, 'accessed', text(time))
  keep(s, time, deadline(s))
end
return answer
