// Starts the dashboard.
import "@fontsource-variable/inter/wght.css";
import "./shared/ui/tokens.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { createQueryClient } from "./app/queryClient.ts";
import { createAppRouter } from "./app/router.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App client={createQueryClient()} router={createAppRouter()} />
  </StrictMode>,
);
