-- Makes the session that goes by one key go by another: 1, 0 if none does or the new key is taken, or 2 if
-- it is taken by a session that was renamed.
-- KEYS the hashes that the two keys stand for. ARGV offset.
local time = now(ARGV[1])
local door = doorOf(KEYS[2])
local taken = find(KEYS[2])
if taken and taken.door then
  rewrite(taken)
  return 2
end
local s = redis.call('EXISTS', KEYS[2], door) == 0 and find(KEYS[1])
if not s or s.claim or expired(s, time) then
  return 0
end
redis.call('SET', door, s.name)
if s.door then
  redis.call('DEL', s.door)
end
s.door = door
s.key = digest(door)
rewrite(s)
keep(s, time, s.expiry)
return 1
