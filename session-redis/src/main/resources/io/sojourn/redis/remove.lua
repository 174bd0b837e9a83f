-- Removes a session: {1}, or {0} if there is none. What is left of half a session goes too.
-- KEYS session, expiry.
local s = read(KEYS[1], KEYS[2])
if s and s.door then
  redis.call('UNLINK', s.door)
end
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[2], string.sub(KEYS[1], -64))
return { s and 1 or 0 }
