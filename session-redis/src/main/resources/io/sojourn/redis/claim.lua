-- Claims expired sessions of one bucket: {how many more are due, name and fields of each}.
-- KEYS expiry. ARGV offset, limit (0 only counts), how long the claim holds.
local time = now(ARGV[1])
local claim = math.min(time + tonumber(ARGV[3]), FAR)

-- Enough for one run, which holds up all other clients; the caller asks again for what is left.
local SESSIONS = 10
local BYTES = 64 * 1024
-- What a field costs beside its bytes.
local FIELD = 64
-- Entries whose session is gone are cleared away, but not too many at once.
local DEBRIS = 50

local limit = math.min(tonumber(ARGV[2]), SESSIONS)
local sessions = string.sub(KEYS[1], 1, -7) .. 'session:'
local answer = { 0 }
local bytes = 0
local due = limit == 0 and {}
  or redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(time), 'LIMIT', 0, limit + DEBRIS)
for _, origin in ipairs(due) do
  if #answer > limit or bytes > BYTES then
    break
  end
  local name = sessions .. origin
  local s = read(name)
  if not s then
    -- Where the slot is on the move and the session comes after this set, a server that is asked for both refuses.
    redis.call('EXISTS', KEYS[1], name)
    redis.call('UNLINK', name)
    redis.call('ZREM', KEYS[1], origin, 'user:' .. origin)
  elseif not expired(s, time) then
    keep(s, time, s.expiry)
  elseif s.claim and s.claim > time then
    keep(s, time, s.claim)
  else
    s.claim = claim
    rewrite(s)
    keep(s, time, claim)
    local fields = redis.call('HGETALL', name)
    for _, part in ipairs(fields) do
      bytes = bytes + #part + FIELD
    end
    answer[#answer + 1] = { name, fields }
  end
end
answer[1] = redis.call('ZCOUNT', KEYS[1], '-inf', text(time))
return answer
