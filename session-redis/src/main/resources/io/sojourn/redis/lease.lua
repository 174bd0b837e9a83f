-- Takes or renews the lease of a session: 0 there is none, 1 taken, or 2 busy.
-- KEYS session. ARGV offset, holder, for how long, for how long a caller that is refused is the next.
local time = now(ARGV[1])
local s = find(KEYS[1])
if not s or s.claim or expired(s, time) then
  return 0
end
local me = ARGV[2]
local holder, ends, follower, turn = leased(s)
if holder ~= me then
  if follower ~= me and follower ~= '-' and turn > time then
    return 2
  end
  if holder ~= '-' and ends > time then
    lease(s, holder, ends, me, time + ARGV[4])
    return 2
  end
  follower, turn = '-', 0
end
lease(s, me, time + ARGV[3], follower, turn)
return 1
