import { type Member, PROTOCOL_VERSION } from '../services/cluster.js';
import { json } from './answer.js';
import type { Route } from './routes.js';

export interface About {
  readonly member: Member;
  readonly users: boolean;
  readonly stats: () => object;
}

/** What the server says about itself, to health checks and to programs that look before they connect. */
export const aboutRoutes = ({ member, users, stats }: About): readonly (readonly [string, Route])[] => [
  ['GET /health/live', { for: 'anyone', answer: () => ({ status: 204, headers: {}, body: '' }) }],
  [
    'GET /ping',
    { for: 'anyone', answer: () => json(200, { msgType: 'text', text: 'Ping request successfully handled' }) },
  ],
  ['GET /info', { for: 'anyone', answer: () => json(200, info(users)) }],
  ['GET /gossip', { for: 'anyone', answer: () => json(200, gossipOf(member)) }],
  ['GET /stats', { for: 'users', answer: () => json(200, stats()) }],
];

const info = (users: boolean) => ({
  esVersion: `${PROTOCOL_VERSION}.0`,
  state: 'leader',
  features: { projections: false, userManagement: false, atomPub: false },
  authentication: { type: users ? 'internal' : 'insecure', properties: {} },
});

function gossipOf({ instanceId, endpoint }: Member): object {
  const { host, port } = endpoint();
  const member = {
    instanceId,
    timeStamp: new Date().toISOString(),
    state: 'Leader',
    isAlive: true,
    httpEndPointIp: host,
    httpEndPointPort: port,
  };
  return { members: [member], serverIp: host, serverPort: port };
}
