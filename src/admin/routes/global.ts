/** The lists of all clients: what stands there binds everybody's mail. */
import type { AdminParts, App } from '../app.ts';
import { OF_ALL } from '../places.ts';
import { exclusionRoutesOf } from './exclusions.ts';
import { suppressionRoutesOf } from './suppressions.ts';

export function globalRoutes(app: App, parts: AdminParts): void {
  exclusionRoutesOf(app, parts, OF_ALL);
  suppressionRoutesOf(app, parts, OF_ALL);
}
