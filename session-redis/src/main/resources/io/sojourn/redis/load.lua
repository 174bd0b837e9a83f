-- Tells what changed since a known version: false, nothing is there; the last access, nothing; {name, value, ...},
-- the fields of its hash, or {the hash's name, these}, where a door led to it; {version, last access, ...}, what changed.
-- A list may come packed.
-- KEYS session. ARGV offset, known version, for how long it may be used without asking again.
local time = now(ARGV[1])
local known = tonumber(ARGV[2])
local s = find(KEYS[1])
if not s or s.claim or expired(s, time) then
  return false
end

local answer
if known == s.version then
  answer = s.accessed
elseif known < 1 or known > s.version or s.version - known > MARKED then
  local fields = redis.call('HGETALL', s.name)
  answer = packed(s.door and { s.name, fields } or fields, fields, 2, 2)
else
  local set, removed = {}, {}
  local at = 1
  while true do
    local _, last, name, version = string.find(s.index, '^\255([^\254]*)\254(-?%d+)', at)
    if not last or math.abs(version) <= known then
      break
    end
    at = last + 1
    local changes = removed
    if tonumber(version) > 0 then
      changes = set
      changes[#changes + 1] = redis.call('HGET', s.name, ':' .. name)
    end
    changes[#changes + 1] = name
    changes[#changes + 1] = version
  end
  answer = packed({ s.version, s.accessed, s.idle, s.touch, set, removed }, set, 1, 3)
end

local last = time + tonumber(ARGV[3])
if s.expiry and last + s.idle > s.expiry or not s.expiry and last - s.accessed > tonumber(s.touch) then
  access(s, time, time, {})
end
return answer
