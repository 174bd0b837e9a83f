-- Tells what changed since a known version: {0} nothing is there, {1, ...} nothing, {2, ...} this, {3, ...} all of it,
-- {4} only a part of the session is left.
-- KEYS session, index, expiry, door. ARGV offset, known version, how many versions removals are marked for.
local time = now(ARGV[1])
local known = tonumber(ARGV[2])
local s = find(KEYS[1], KEYS[2], KEYS[3], KEYS[4])
if not s then
  local half = redis.call('EXISTS', KEYS[1]) == 1 and not read(KEYS[1], KEYS[2], KEYS[3])
  return { half and 4 or 0 }
end
if s.claim or expired(s, time) then
  return { 0 }
end

local answer
if known == s.version then
  answer = { 1, s.accessed }
elseif not whole(s) then
  return { 4 }
elseif known < 1 or known > s.version or s.version - known > tonumber(ARGV[3]) then
  answer = { 3, record(s) }
else
  local set = {}
  local written = redis.call('ZRANGEBYSCORE', s.index, '(' .. text(known), '+inf', 'WITHSCORES')
  for i = 1, #written, 2 do
    local value = redis.call('HGET', s.name, ':' .. written[i])
    if not value then
      return { 4 }
    end
    set[#set + 1] = written[i]
    set[#set + 1] = written[i + 1]
    set[#set + 1] = value
  end
  local removed = redis.call('ZRANGEBYSCORE', s.index, '-inf', '(-' .. text(known), 'WITHSCORES')
  answer = { 2, s.version, s.accessed, s.said[3], s.said[4], set, removed }
end

if s.expiry and time + s.idle > s.expiry or not s.expiry and time - s.accessed > s.touch then
  access(s, time, time, {})
end
return answer
