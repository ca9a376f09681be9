// Derives the tables of files/data from a folder of the IANA time zone database (iso3166.tab, leap-seconds.list,
// zone1970.tab, tzdata.zi): `node derive-data.mjs /usr/share/zoneinfo`. See DATA.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const source = process.argv[2] ?? '/usr/share/zoneinfo';
const lines = (name) =>
  readFileSync(join(source, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
const write = (name, columns, rows) => {
  const text = [columns, ...rows].map((row) => row.join('\t')).join('\n');
  writeFileSync(new URL(`files/data/${name}.tsv`, import.meta.url), `${text}\n`);
};
const regionOf = ([zone]) => zone.split('/')[0].toLowerCase();

write(
  'countries',
  ['code', 'name'],
  lines('iso3166.tab').map((line) => line.split('\t')),
);
write(
  'leap-seconds',
  ['ntp_seconds', 'tai_minus_utc'],
  lines('leap-seconds.list').map((line) => line.trim().split(/\s+/).slice(0, 2)),
);

// ISO 6709 as ±DDMM±DDDMM or ±DDMMSS±DDDMMSS, to decimal degrees.
const degrees = (text, digits) => {
  const [d, m, s] = [text.slice(1, 1 + digits), text.slice(1 + digits, 3 + digits), text.slice(3 + digits) || '0'];
  return `${text[0] === '-' ? '-' : ''}${(Number(d) + Number(m) / 60 + Number(s) / 3600).toFixed(4)}`;
};
const zones = lines('zone1970.tab').map((line) => {
  const [countries, place, zone] = line.split('\t');
  const [, latitude, longitude] = /^([+-]\d+)([+-]\d+)$/.exec(place);
  return [zone, countries.replaceAll(',', ' '), degrees(latitude, 2), degrees(longitude, 3)];
});
const regions = [...new Set(zones.map(regionOf))];
const rowsOf = (rows, region) => rows.filter((row) => regionOf(row) === region);
for (const region of regions) {
  write(`zones-${region}`, ['zone', 'countries', 'latitude', 'longitude'], rowsOf(zones, region));
}

// An offset as [-]h[:mm[:ss]], to decimal hours.
const hours = (text) => {
  const [h, m = '0', s = '0'] = text.replace('-', '').split(':');
  return `${text.startsWith('-') ? '-' : ''}${(Number(h) + Number(m) / 60 + Number(s) / 3600).toFixed(4)}`;
};
const eras = [];
let zone;
for (const line of lines('tzdata.zi')) {
  const words = line.split(' ');
  if (words[0] === 'Z') zone = words[1];
  if (words[0] === 'Z' || /^[-\d]/.test(line)) {
    const [offset, rules, letters, until = ''] = words[0] === 'Z' ? words.slice(2) : words;
    eras.push([zone, hours(offset), rules, letters, until]);
  }
}
for (const region of regions) {
  write(`offsets-${region}`, ['zone', 'utc_hours', 'rules', 'letters', 'until_year'], rowsOf(eras, region));
}
