// Every address of the dashboard, and what its search may hold; what it may not is dropped.
import {
  createBrowserHistory,
  createRootRoute,
  createRoute,
  createRouter,
  retainSearchParams,
  type RouterHistory,
} from "@tanstack/react-router";
import { readImportSearch } from "../features/clients/import/search.ts";
import { readClientSearch } from "../features/clients/search.ts";
import { readViewSearch } from "../features/clients/timeline/view.ts";
import { readEmailSearch } from "../features/emails/search.ts";
import { readOperationsSearch } from "../features/operations/search.ts";
import { readOverviewSearch } from "../features/overview/search.ts";
import { readPolicySearch } from "../features/policy/search.ts";
import { readTourSearch } from "../features/tour/search.ts";
import { lazyPage } from "./lazyPage.tsx";
import { CLIENTS, EMAILS, OPERATIONS, OVERVIEW, POLICY, type PageData } from "./navigation.ts";
import { ErrorPage, NotFoundPage } from "./pages/ErrorPage.tsx";
import { Shell } from "./Shell.tsx";

const root = createRootRoute({
  component: Shell,
  validateSearch: readTourSearch,
  // The tour goes along from page to page, until it is left.
  search: { middlewares: [retainSearchParams(["tour"])] },
  notFoundComponent: NotFoundPage,
  errorComponent: ErrorPage,
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  staticData: OVERVIEW,
  validateSearch: readOverviewSearch,
  component: lazyPage(() => import("./pages/OverviewPage.tsx"), "OverviewPage"),
});

const clients = createRoute({
  getParentRoute: () => root,
  path: "clients",
  staticData: CLIENTS,
  validateSearch: readClientSearch,
  component: lazyPage(() => import("./pages/ClientsPage.tsx"), "ClientsPage"),
});

const client = createRoute({
  getParentRoute: () => root,
  path: "clients/$clientId",
  staticData: { ...CLIENTS, title: "Client" },
  validateSearch: readViewSearch,
  params: {
    parse: ({ clientId }) => ({ clientId: Number(clientId) }),
    stringify: ({ clientId }) => ({ clientId: String(clientId) }),
  },
  component: lazyPage(() => import("./pages/ClientPage.tsx"), "ClientPage"),
});

const clientsImport = createRoute({
  getParentRoute: () => root,
  path: "clients/import",
  staticData: { ...CLIENTS, title: "Import" },
  validateSearch: readImportSearch,
  component: lazyPage(() => import("./pages/ClientsImportPage.tsx"), "ClientsImportPage"),
});

const emails = createRoute({
  getParentRoute: () => root,
  path: "emails",
  staticData: EMAILS,
  validateSearch: readEmailSearch,
  component: lazyPage(() => import("./pages/EmailsPage.tsx"), "EmailsPage"),
});

const email = createRoute({
  getParentRoute: () => emails,
  path: "$episodeId",
  component: lazyPage(() => import("./pages/EmailPage.tsx"), "EmailPage"),
});

const policy = createRoute({
  getParentRoute: () => root,
  path: "policy",
  staticData: POLICY,
  validateSearch: readPolicySearch,
  component: lazyPage(() => import("./pages/PolicyPage.tsx"), "PolicyPage"),
});

const operations = createRoute({
  getParentRoute: () => root,
  path: "operations",
  staticData: OPERATIONS,
  validateSearch: readOperationsSearch,
  component: lazyPage(() => import("./pages/OperationsPage.tsx"), "OperationsPage"),
});

const tree = root.addChildren([
  overview,
  clients,
  clientsImport,
  client,
  emails.addChildren([email]),
  policy,
  operations,
]);

export function createAppRouter(history: RouterHistory = createBrowserHistory()) {
  return createRouter({
    routeTree: tree,
    history,
    defaultPreload: "intent",
    // Around each page by itself, so that the navigation outlives it.
    defaultErrorComponent: ErrorPage,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
  });
}

export type AppRouter = ReturnType<typeof createAppRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- how the router is told
  interface StaticDataRouteOption extends Partial<PageData> {}
}
