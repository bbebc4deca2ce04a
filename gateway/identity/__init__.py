"""Who may come in: the authority and its certificates, enrolment of sites, people at the broker."""
