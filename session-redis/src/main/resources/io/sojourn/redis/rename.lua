-- Makes the session that goes by one key go by another: {1}, {0} if none does or the new key is taken, or {2} if
-- it is taken by a session that was renamed.
-- KEYS session, expiry, door of the key, then session and door of the new key. ARGV offset.
local time = now(ARGV[1])
local taken = find(KEYS[4], KEYS[2], KEYS[5])
if taken and taken.door then
  rewrite(taken)
  return { 2 }
end
local s = redis.call('EXISTS', KEYS[4], KEYS[5]) == 0 and find(KEYS[1], KEYS[2], KEYS[3])
if not s or s.claim or expired(s, time) then
  return { 0 }
end
redis.call('SET', KEYS[5], s.name)
if s.door then
  redis.call('DEL', s.door)
end
s.door = KEYS[5]
s.key = string.sub(s.door, -64)
rewrite(s)
keep(s, time, s.expiry)
return { 1 }
