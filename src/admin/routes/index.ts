/** The ordered list of resources; one file each. */
import type { AdminParts, App } from '../app.ts';
import { boundJson } from '../json.ts';
import { accountRoutes } from './accounts.ts';
import { auditRoutes } from './audit.ts';
import { campaignRoutes } from './campaigns.ts';
import { clientRoutes } from './clients.ts';
import { credentialRoutes } from './credentials.ts';
import { decisionRoutes } from './decisions.ts';
import { exclusionRoutes } from './exclusions.ts';
import { explainRoutes } from './explain.ts';
import { exportRoutes } from './exports.ts';
import { globalRoutes } from './global.ts';
import { healthRoutes } from './health.ts';
import { importRoutes } from './imports.ts';
import { metricsRoutes } from './metrics.ts';
import { policyRoutes } from './policies.ts';
import { replyRoutes } from './replies.ts';
import { screeningRoutes } from './screening.ts';
import { sessionRoutes } from './session.ts';
import { statsRoutes } from './stats.ts';
import { suppressionRoutes } from './suppressions.ts';
import { tokenRoutes } from './tokens.ts';
import { webhookRoutes } from './webhooks.ts';

const RESOURCES: readonly ((app: App, parts: AdminParts) => void)[] = [
  sessionRoutes,
  tokenRoutes,
  accountRoutes,
  clientRoutes,
  credentialRoutes,
  campaignRoutes,
  exclusionRoutes,
  suppressionRoutes,
  globalRoutes,
  screeningRoutes,
  importRoutes,
  exportRoutes,
  decisionRoutes,
  statsRoutes,
  replyRoutes,
  explainRoutes,
  policyRoutes,
  auditRoutes,
  healthRoutes,
  metricsRoutes,
  webhookRoutes,
];

export function addRoutes(app: App, parts: AdminParts): void {
  boundJson(app);
  for (const add of RESOURCES) add(app, parts);
}
