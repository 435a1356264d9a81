"""What each action in the record of deeds is called. An action that is not listed is shown by its code."""

from collections.abc import Mapping

from app.texts import both


def action_words() -> Mapping[str, Mapping[str, str]]:
    """Action code → what somebody did, in both languages, in the order in which a dossier meets them."""
    return {
        "login": both("Logde in"),
        "login.password": both("Gaf het goede wachtwoord; tweede stap gevraagd"),
        "login.ended": both("Login beëindigd"),
        "login.others_ended": both("Alle andere logins beëindigd"),
        "second_factor.set_up": both("Tweede stap ingesteld"),
        "second_factor.codes_renewed": both("Herstelcodes vernieuwd"),
        "second_factor.removed": both("Tweede stap verwijderd"),
        "second_factor.recovery_code_used": both("Herstelcode gebruikt"),
        "email_change.asked": both("Ander e-mailadres aangevraagd"),
        "email_change.done": both("E-mailadres gewijzigd"),
        "account.created": both("Account gemaakt"),
        "account.confirmed": both("E-mailadres bevestigd"),
        "account.changed": both("Gegevens van account gewijzigd"),
        "account.disabled": both("Account gesloten"),
        "password.changed": both("Wachtwoord gewijzigd"),
        "role.granted": both("Rol gegeven"),
        "dossier.started": both("Dossier begonnen"),
        "dossier.submitted": both("Dossier ingediend"),
        "evidence.received": both("Bewijsstuk ontvangen"),
        "evidence.checked": both("Bewijsstuk gecontroleerd"),
        "evidence.refused": both("Bewijsstuk geweigerd"),
        "evidence.removed": both("Bewijsstuk verwijderd"),
        "evidence.downloaded": both("Bewijsstuk gedownload"),
        "statement.invited": both("Supervisor uitgenodigd"),
        "statement.reminded": both("Supervisor herinnerd"),
        "statement.revoked": both("Uitnodiging van supervisor ingetrokken"),
        "statement.opened": both("Verklaring geopend"),
        "statement.read": both("Onderdelen gelezen als supervisor"),
        "statement.signed": both("Verklaring ondertekend"),
        "statement.declined": both("Verklaring geweigerd"),
        "snapshot.sealed": both("Dossier verzegeld"),
        "snapshot.handed_over": both("Dossier in de wachtrij gezet"),
        "snapshot.failed": both("Stap van de verwerking mislukt"),
        "snapshot.retried": both("Verwerking opnieuw gestart"),
        "bundle.delivered": both("Bundel afgeleverd"),
        "bundle.downloaded": both("Eigen documenten gedownload"),
        "assessment.assigned": both("Beoordelaar toegewezen"),
        "assessment.unassigned": both("Toewijzing van beoordelaar ingetrokken"),
        "assessment.viewed": both("Dossier bekeken als beoordelaar"),
        "assessment.pdf": both("PDF geopend als beoordelaar"),
        "assessment.docx": both("Word-document gedownload als beoordelaar"),
        "assessment.bundle": both("Bundel gedownload als beoordelaar"),
        "audit.viewed": both("Logboek bekeken"),
        "audit.exported": both("Logboek gedownload"),
        "audit.verified": both("Logboek gecontroleerd"),
        "demo.created": both("Demo gemaakt"),
    }
