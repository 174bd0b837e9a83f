-- Ends the lease of a session: 1, or 0 if this holder has none.
-- KEYS session. ARGV holder.
local s = read(KEYS[1])
if not s then
  return 0
end
local holder, ends, follower, turn = leased(s)
if holder ~= ARGV[1] then
  return 0
end
lease(s, '-', 0, follower, turn)
return 1
