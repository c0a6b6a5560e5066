-- The same with the caller's salt in it, such as the number of a shop: Oxx261121000001 for the salt xx.
-- What follows the salt has always the same length, so that no two salts can make the same id.

function min_counter()
  return 1
end

function max_counter()
  return 999999
end

function reset_seconds()
  return 86400
end

function create_id(counter, now, salt)
  local date = string.format('%02d%02d%02d', now:year() % 100, now:month(), now:day())
  return string.format('O%s%s%06d', salt, date, counter:generate_counter())
end
