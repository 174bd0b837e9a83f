-- Removes a session: 1, or 0 if there is none. What is left of half a session goes too.
-- KEYS session.
local s = read(KEYS[1])
if s and s.door then
  redis.call('UNLINK', s.door)
end
redis.call('UNLINK', KEYS[1])
local origin = digest(KEYS[1])
redis.call('ZREM', bucket(KEYS[1]) .. 'expiry', origin, 'user:' .. origin)
return s and 1 or 0
