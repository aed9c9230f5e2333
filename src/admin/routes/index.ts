/** The ordered list of resources; one file each. */
import type { AdminParts, App } from '../app.ts';
import { healthRoutes } from './health.ts';
import { metricsRoutes } from './metrics.ts';

const RESOURCES: readonly ((app: App, parts: AdminParts) => void)[] = [healthRoutes, metricsRoutes];

export function addRoutes(app: App, parts: AdminParts): void {
  for (const add of RESOURCES) add(app, parts);
}
