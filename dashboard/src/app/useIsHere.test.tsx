// What tells a page that its reader has left, while the next one is still on its way.
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { useIsHere } from "./useIsHere.ts";

it("knows that its reader has left before the next page has come", async () => {
  let isHere: () => boolean = () => false;
  function Page() {
    isHere = useIsHere("/clients");
    return <p>Here</p>;
  }
  const root = createRootRoute();
  const here = createRoute({ getParentRoute: () => root, path: "/clients", component: Page });
  const away = createRoute({
    getParentRoute: () => root,
    path: "/emails",
    loader: () => new Promise(() => undefined),
  });
  const router = createRouter({
    routeTree: root.addChildren([here, away]),
    history: createMemoryHistory({ initialEntries: ["/clients?search=go"] }),
  });
  render(<RouterProvider router={router as never} />);
  await screen.findByText("Here");
  expect(isHere()).toBe(true);

  void router.navigate({ to: "/emails" });

  await waitFor(() => {
    expect(isHere()).toBe(false);
  });
  expect(screen.getByText("Here")).toBeTruthy();
});
