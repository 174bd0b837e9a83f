-- Creates a session: {1}, or {0} if the key is taken.
-- KEYS session, index, expiry, door. ARGV offset, created, idle, touch, then name and value of each attribute.
if redis.call('EXISTS', KEYS[1], KEYS[4]) > 0 then
  return { 0 }
end
local time = now(ARGV[1])
redis.call('HSET', KEYS[1],
  'version', 1, 'created', ARGV[2], 'accessed', text(time), 'idle', ARGV[3], 'touch', ARGV[4])
redis.call('DEL', KEYS[2])
for i = 5, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ':' .. ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], 1, ARGV[i])
end
local s = read(KEYS[1])
keep(s, time, deadline(s))
return { 1 }
