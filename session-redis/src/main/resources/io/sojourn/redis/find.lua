-- Tells which sessions of one bucket are a user's, by the keys that they go by now.
-- KEYS expiry. ARGV offset, the user as `create.lua` has it, how many at the most.
local time = now(ARGV[1])
local rank = string.sub(ARGV[2], 1, 19)
local user = string.sub(ARGV[2], 20)
local limit = tonumber(ARGV[3])
local sessions = string.sub(KEYS[1], 1, -7) .. 'session:'
local answer = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], rank, rank)) do
  if #answer == limit then
    break
  end
  local origin = string.sub(member, 6)
  local name = sessions .. origin
  local s = read(name)
  if not s then
    -- A node of a release that knows of no users has removed it; or its slot is on the move, and it comes after this set: then a
    -- server that is asked for both refuses.
    redis.call('EXISTS', KEYS[1], name)
    redis.call('ZREM', KEYS[1], member)
  elseif not s.claim and not expired(s, time) and redis.call('HGET', name, 'user') == user then
    answer[#answer + 1] = s.door and s.key or origin
  end
end
return answer
