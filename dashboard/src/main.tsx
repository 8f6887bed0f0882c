// Starts the dashboard.
import "@fontsource-variable/inter/wght.css";
import "./shared/ui/tokens.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { createQueryClient } from "./app/queryClient.ts";
import { createAppRouter } from "./app/router.tsx";
import { createIssuer } from "./auth/issuer.ts";
import { createSession } from "./auth/session.ts";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

const client = createQueryClient();
const session = createSession({
  createIssuer: (info) => createIssuer(info, window.location.origin),
  address: () => window.location.pathname + window.location.search + window.location.hash,
  show: (address) => {
    window.history.replaceState(null, "", address);
  },
  now: () => Date.now(),
});
// What one person saw is not for the next one in this tab.
session.state.subscribe(() => {
  if (session.state.get().is === "out") client.clear();
});
createRoot(root).render(
  <StrictMode>
    <App client={client} session={session} createRouter={() => createAppRouter()} />
  </StrictMode>,
);
