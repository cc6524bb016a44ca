"""The admin page as it is served."""

from tests.web.house import play


def test_the_admin_page_is_the_same_for_everybody_and_runs_only_what_is_ours(tmp_path):
    async def scene(house):
        page = await house.ask("GET", "/admin", key=None)
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b"/static/admin/app.js" in page.body
        assert b"<script>" not in page.body
        assert b"style=" not in page.body
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        again = await house.ask("GET", "/admin", key=None, headers={"If-None-Match": page.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        script = await house.ask("GET", "/static/admin/app.js", key=None)
        assert (script.status, script.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")

    play(tmp_path, scene)
