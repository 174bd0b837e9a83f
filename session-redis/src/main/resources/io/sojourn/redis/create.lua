-- Creates a session: {1}, {0} if the key is taken, or {2} if it is taken by just what this would have created.
-- KEYS session, index, expiry, door. ARGV offset, created, idle, touch, then name and value of each attribute.
if redis.call('EXISTS', KEYS[1], KEYS[4]) > 0 then
  local m = redis.call('HMGET', KEYS[1], 'version', 'created', 'door', 'claim')
  return { m[1] == '1' and m[2] == ARGV[2] and not m[3] and not m[4] and 2 or 0 }
end
local time = now(ARGV[1])
redis.call('HSET', KEYS[1], 'version', 1)
redis.call('DEL', KEYS[2])
redis.call('ZADD', KEYS[2], 0, INDEX)
for i = 5, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ':' .. ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], 1, ARGV[i])
end
local s = {
  name = KEYS[1],
  index = KEYS[2],
  queue = KEYS[3],
  accessed = time,
  idle = tonumber(ARGV[3]),
  touch = tonumber(ARGV[4])
}
access(s, time, time, { 'created', ARGV[2], 'idle', ARGV[3], 'touch', ARGV[4] }, true)
return { 1 }
