-- A daily order number: O, the date, six digits. The first of 21 November 2026 is O261121000001.

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
  return string.format('O%02d%02d%02d%06d', now:year() % 100, now:month(), now:day(), counter:generate_counter())
end
