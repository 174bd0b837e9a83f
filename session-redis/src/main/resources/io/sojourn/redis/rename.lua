-- Makes the session that goes by one key go by another: {1}, {0} if none does or the new key is taken, or {2} if
-- it is taken by a session that was renamed.
-- KEYS session, index, expiry, door of the key, then the same four of the new key. ARGV offset.
local time = now(ARGV[1])
if redis.call('EXISTS', KEYS[5], KEYS[8]) > 0 then
  return { find(KEYS[5], KEYS[8]) and redis.call('EXISTS', KEYS[8]) == 1 and 2 or 0 }
end
local s = find(KEYS[1], KEYS[4])
if not s or s.claim or expired(s, time) then
  return { 0 }
end
redis.call('SET', KEYS[8], s.name)
redis.call('HSET', s.name, 'door', KEYS[8])
if s.door then
  redis.call('DEL', s.door)
end
s.door = KEYS[8]
keep(s, time, deadline(s))
return { 1 }
