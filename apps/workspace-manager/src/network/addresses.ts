import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Special-purpose ranges of IPv4 (RFC 6890 and those after it): this host, private, shared, link-local, test, multicast. */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // What a cloud's machines ask about themselves, outside of the ranges for that.
  '168.63.129.16/32',
];

/** Within 2000::/3, the public part of IPv6: Teredo and other protocols, documentation, 6to4. */
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const blocked = new BlockList();
const global6 = new BlockList();
for (const range of NOT_PUBLIC_4) blocked.addSubnet(...parts(range), 'ipv4');
for (const range of NOT_PUBLIC_6) blocked.addSubnet(...parts(range), 'ipv6');
global6.addSubnet('2000::', 3, 'ipv6');

/** Whether an address belongs to the public internet; whatever cannot be read does not. */
export function isPublic(address: string): boolean {
  const plain = address.replace(/%.*$/, '');
  if (isIPv4(plain)) return !blocked.check(plain, 'ipv4');
  // Everything outside of 2000::/3 is refused: loopback, link-local, unique-local, multicast, mapped and translated IPv4.
  return isIPv6(plain) && global6.check(plain, 'ipv6') && !blocked.check(plain, 'ipv6');
}

function parts(range: string): [string, number] {
  const [network = '', bits = ''] = range.split('/');
  return [network, Number(bits)];
}
