"""The page of messages: unread until opened, in today's language, one's own only; the menu counts what is new."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.accounts import messages, recovery
from app.accounts.models import Account, Message
from app.extensions import session, transaction

Login = Callable[[Account], FlaskClient]
MakeAccount = Callable[..., Account]


def tell(account: Account, dossier: str = "LD-1", template: str = "dossier_handed_over") -> int:
    with transaction():
        account = session.get_one(Account, account.id)
        message = messages.tell(account, template, {"name": account.name, "dossier": dossier, "link": "/mijn-dossiers"})
        assert message is not None
        return message.id


def text(client: FlaskClient, path: str = "/berichten") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def read(message_id: int) -> bool:
    session.rollback()
    return session.get_one(Message, message_id).read_at is not None


def test_messages_are_read_when_opened_and_looking_r11_changes_nothing(make_account: MakeAccount, login: Login) -> None:
    anna = make_account("Anna Bos", "candidate")
    client = login(anna)
    assert "U hebt nog geen berichten" in text(client)
    first, second = tell(anna, "LD-1"), tell(anna, "LD-2")
    page = text(client)
    assert "2 nieuwe berichten" in page
    assert page.index("LD-2") < page.index("LD-1")
    assert 'class="count">2<' in page
    assert (read(first), read(second)) == (False, False)
    for _ in range(2):  # a double click
        answer = client.post(f"/berichten/{first}/openen")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/mijn-dossiers")
    assert (read(first), read(second)) == (True, False)
    assert 'class="count">1<' in text(client)
    page = client.post("/berichten/gelezen", follow_redirects=True).get_data(as_text=True)
    assert "Het bericht is gemarkeerd als gelezen." in page
    assert 'class="count"' not in page
    assert read(second)


def test_messages_of_somebody_else_cannot_be_seen_or_marked(make_account: MakeAccount, login: Login) -> None:
    anna, bert = make_account("Anna Bos", "candidate"), make_account("Bert Vos", "assessor")
    theirs = tell(anna, "LD-GEHEIM")
    client = login(bert)
    assert "LD-GEHEIM" not in text(client)
    answer = client.post(f"/berichten/{theirs}/openen")
    assert answer.headers["Location"] == "/berichten"
    client.post("/berichten/gelezen")
    assert not read(theirs)


def test_messages_are_in_the_language_of_today_and_leave_greeting_and_address_out(
    make_account: MakeAccount, login: Login
) -> None:
    anna = make_account("Anna Bos", "candidate")
    tell(anna)
    client = login(anna)
    assert "Uw dossier LD-1 is compleet ontvangen" in text(client)
    client.post("/taal", data={"language": "en", "next": "/berichten"})
    page = text(client)
    assert "Your dossier LD-1 has been received in full" in page
    assert "Hello Anna" not in page
    assert "Kind regards" not in page


def test_messages_that_carry_marks_of_html_are_shown_as_typed(make_account: MakeAccount, login: Login) -> None:
    anna = make_account("Anna <b>Bos</b>", "candidate", email="anna@voorbeeld.nl")
    tell(anna, "<script>x</script>")
    assert "&lt;script&gt;x&lt;/script&gt;" in text(login(anna))


def test_messages_come_in_pages_with_as_many_queries_for_twenty_as_for_one(
    app: Flask, make_account: MakeAccount, login: Login
) -> None:
    anna = make_account("Anna Bos", "candidate")
    client = login(anna)
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    numbers = []
    tell(anna)
    event.listen(app.extensions["engine"], "before_cursor_execute", count)
    for more in (0, messages.PAGE):
        for number in range(more):
            tell(anna, f"LD-{number}")
        asked.clear()
        page = text(client)
        numbers.append(sum(statement.startswith("SELECT") for statement in asked))
    event.remove(app.extensions["engine"], "before_cursor_execute", count)
    assert numbers[0] == numbers[1]
    assert page.count('class="card message ') == messages.PAGE
    assert "Pagina 1 van 2" in page
    assert text(client, "/berichten?pagina=2").count('class="card message ') == 1
    assert "Deze pagina is leeg" in text(client, "/berichten?pagina=9")
    for strange in ("0", "-1", "x", "9" * 30, "%D9%A1"):
        text(client, f"/berichten?pagina={strange}")


def test_a_deed_reaches_the_page_of_messages(make_account: MakeAccount, login: Login) -> None:
    """One from end to end: a new password."""
    anna = make_account("Anna Bos", "candidate")
    with transaction():
        recovery.change(session.get_one(Account, anna.id), anna.password_hash)
    assert "Uw wachtwoord is gewijzigd" in text(login(anna))
    assert session.scalars(select(Message.template)).all() == ["password_changed"]
