-- sealing.sql: the public keys to which results are sealed (Sources/Secrets/SealingKeys.swift).

-- Whether a text is a public key to which a worker can seal: its form, its four bytes to check it by,
-- and none of the points of small order, with which every secret key agrees on zero (RFC 7748,
-- section 6.1). What is found wrong here is found before a request leaves.
create or replace function writ_data.is_public_key(value text) returns boolean
language plpgsql immutable parallel safe
as $$
declare
  _bytes bytea;
  _key bytea;
begin
  if value is null or value !~ '^writ-public-v1-[0-9A-Za-z_-]{48}$' then
    return false;
  end if;
  _bytes := decode(translate(substr(value, 16), '-_', '+/'), 'base64');
  _key := substr(_bytes, 1, 32);
  return substr(sha256(convert_to('writ-public-v1-', 'UTF8') || _key), 1, 4) = substr(_bytes, 33)
    and get_byte(_key, 31) < 128
    and encode(_key, 'hex') <> all (
      array[
        '0000000000000000000000000000000000000000000000000000000000000000',
        '0100000000000000000000000000000000000000000000000000000000000000',
        'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
        '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
        'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
      ]
    );
end
$$;
