import { count, isGood, pointsIn, type TortureReport } from './report.js';

const LABEL = 'torture';
/** On average; `textLength` makes every font fit. */
const CHARACTER = 5.8;
const PADDING = 10;
const HEIGHT = 20;
const GOOD = '#2e7d32';
const DOUBTFUL = '#b26a00';
const BAD = '#c62828';

/** A badge for a README: green, amber when a tool is not safe to repeat, red when something was lost or doubled. */
export function badgeOf(report: TortureReport): string {
  const { lost, doubled, changed, unsafe } = report;
  const verdict = isGood(report) ? `${lost} lost, ${doubled} doubled` : count(lost + doubled + changed, 'finding');
  const tools = unsafe.length === 0 ? '' : `, ${unsafe.length} unsafe`;
  const message = `${pointsIn(report, 'point')}, ${verdict}${tools}`;
  const color = isGood(report) ? (unsafe.length === 0 ? GOOD : DOUBTFUL) : BAD;
  const [left, right] = [widthOf(LABEL), widthOf(message)];
  const text = (x: number, words: string): string =>
    `<text x="${x}" y="14" fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle" textLength="${widthOf(words) - PADDING}">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="${HEIGHT}" role="img" aria-label="${LABEL}: ${message}">`,
    `<title>${LABEL}: ${message}</title>`,
    `<rect width="${left + right}" height="${HEIGHT}" rx="3" fill="${color}"/>`,
    `<path d="M3 0h${left - 3}v${HEIGHT}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#555"/>`,
    text(left / 2, LABEL),
    text(left + right / 2, message),
    '</svg>',
    '',
  ].join('\n');
}

const widthOf = (words: string): number => Math.round(words.length * CHARACTER) + PADDING;
